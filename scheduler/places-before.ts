// What is kept by place in a list of the topology, such as by `EdgeView.index`, moves when the configuration changes:
// this is where everything finds what it was.

/** Where each of `now` stood in `before`, by id; undefined: it was not there. */
export function placesBefore(
  now: readonly { readonly id: string }[],
  before: readonly { readonly id: string }[],
): readonly (number | undefined)[] {
  const places = new Map(before.map(({ id }, place) => [id, place]))
  return now.map(({ id }) => places.get(id))
}
