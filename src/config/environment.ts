/** Environment variables by name. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** A text with its references replaced. */
export interface Substitution {
  readonly text: string;
  /** Whether there was any reference; then the text may hold a secret. */
  readonly substituted: boolean;
  /** What is wrong with the references; names variables, never their values. */
  readonly faults: readonly string[];
}

const reference = /\$\$\{|\$\{([^}]*)(\}?)/g;
const inside = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/;
const mostReferences = 100;

/**
 * Replaces `${NAME}` and `${NAME:-default}` by variables of the environment; `$${` stands for a plain `${`.
 * The default is taken where the variable is not set or empty.
 */
export function substitute(text: string, env: Environment): Substitution {
  const faults: string[] = [];
  let count = 0;
  const replaced = text.replace(reference, (whole, body: string | undefined, closed: string) => {
    if (body === undefined) return '${';
    if (++count > mostReferences) return '';
    const found = closed === '' ? { fault: unclosed(whole) } : resolve(body, env);
    if ('fault' in found) faults.push(found.fault);
    return 'value' in found ? found.value : '';
  });
  if (count > mostReferences)
    faults.push(`has ${count} references to the environment, keep to ${mostReferences}`);
  return { text: faults.length > 0 ? '' : replaced, substituted: count > 0, faults };
}

function resolve(body: string, env: Environment): { readonly value: string } | { readonly fault: string } {
  const [, name, fallback] = inside.exec(body) ?? [];
  if (name === undefined)
    return {
      fault: `\${${body.slice(0, 60)}} names no environment variable, write \${NAME} or \${NAME:-default}`,
    };
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  if (fallback !== undefined) return { value: value === undefined || value === '' ? fallback : value };
  if (value !== undefined) return { value };
  return { fault: `the environment variable ${name} is not set, set it or write \${${name}:-default}` };
}

function unclosed(whole: string): string {
  return `${whole.slice(0, 60)} has no closing brace, write \${NAME}, or $\${ for a plain \${`;
}
