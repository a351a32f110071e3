// Adds a bearer token to every request, because the conformance suite cannot send one.
//
// usage: node bearer.mjs ORIGIN TOKEN
//
// Passes all else on as it comes, streams included. Listens on a free loopback port and says so.

import { createServer, request } from 'node:http';

const [origin, token] = process.argv.slice(2);

const server = createServer((incoming, outgoing) => {
  const headers = [...incoming.rawHeaders, 'Authorization', `Bearer ${token}`];
  const { method, url } = incoming;
  const passed = request(new URL(url, origin), { method, headers, agent: false }, (answer) => {
    outgoing.writeHead(answer.statusCode, answer.rawHeaders);
    outgoing.flushHeaders();
    answer.on('error', () => outgoing.destroy());
    answer.pipe(outgoing);
  });
  passed.on('error', () => outgoing.destroy());
  // A client that leaves ends a stream at the server too.
  outgoing.on('close', () => passed.destroy());
  incoming.pipe(passed);
});

server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`listening on http://127.0.0.1:${server.address().port}\n`);
});
