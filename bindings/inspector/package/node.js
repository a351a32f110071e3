// In Node the module is read from the folder; in browsers it is fetched.
import { readFileSync } from 'node:fs';
import { initSync } from './portcullis_inspector.js';

initSync({ module: readFileSync(new URL('portcullis_inspector_bg.wasm', import.meta.url)) });

/** There is nothing left to load: for programs that run in both. */
export default async function init() {}
export * from './portcullis_inspector.js';
