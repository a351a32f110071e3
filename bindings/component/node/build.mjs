// Makes the component of a module, and an ES module of the component.
//
// usage: node build.mjs MODULE FOLDER
//
// writes FOLDER/portcullis.wasm, the component, and FOLDER/node, what Node.js loads.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { transpileBytes } from '@bytecodealliance/jco-transpile';
import { componentNew, componentWit } from '@bytecodealliance/jco-transpile/wasm-tools';

const [module, folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node build.mjs MODULE FOLDER');
  process.exit(2);
}

const component = await componentNew(await readFile(module));
const wit = await componentWit(component);
if (/\bimport\b/.test(wit.replace(/\/\/.*$/gm, ''))) {
  console.error(`the component imports something:\n${wit}`);
  process.exit(1);
}
await mkdir(folder, { recursive: true });
await writeFile(join(folder, 'portcullis.wasm'), component);
const { files } = await transpileBytes(component, {
  name: 'portcullis',
  outDir: join(folder, 'node'),
  emitTypescriptDeclarations: true,
});
for (const [path, contents] of Object.entries(files)) {
  await mkdir(join(path, '..'), { recursive: true });
  await writeFile(path, contents);
}
// The files are ES modules wherever they are copied to.
await writeFile(join(folder, 'node', 'package.json'), '{ "type": "module" }\n');
console.log(`the component is ${join(folder, 'portcullis.wasm')}, ${component.length} octets`);
