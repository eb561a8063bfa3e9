import { type TopicNamed, type TopicSpec, defaultTopicSettings } from '../core/topic.ts';

/** The topics that a chain names: those whose settings are known can be made where they are missing. */
export class NamedTopics {
  readonly #specs = new Map<string, TopicSpec>();
  readonly #ofFailures = new Set<string>();

  add({ name, settings }: TopicNamed): void {
    if (settings !== undefined) this.#specs.set(name, { name, settings });
  }

  /** A topic that takes what failed, whatever topic it is of. */
  addForFailures(name: string): void {
    this.#ofFailures.add(name);
  }

  get specs(): readonly TopicSpec[] {
    const specs = [...this.#specs.values()];
    const largest = specs.map(({ settings }) => settings.maxMessageBytes);
    const maxMessageBytes = Math.max(defaultTopicSettings.maxMessageBytes, ...largest);
    const ofFailures = [...this.#ofFailures].map(name => {
      return { name, settings: { ...defaultTopicSettings, maxMessageBytes } };
    });
    return [...specs, ...ofFailures];
  }
}
