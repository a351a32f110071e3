// In place of the inspector, in binaries that are built without it.

export default async function init() {
  throw new Error('this build has no inspector');
}
