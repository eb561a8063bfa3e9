/** Something of which some is as the test has it, and all else as it was. */
export function withOwn<A extends object>(real: A, own: Partial<A>): A {
  return new Proxy(real, {
    get: (target, name) => {
      if (name in own) return Reflect.get(own, name) as unknown;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
