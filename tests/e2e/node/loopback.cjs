// Preloaded with `node --require`: makes a server that names no host listen on loopback only, and
// say on which port, so that it can be given port 0.
'use strict';

const { Server } = require('node:net');

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
  this.once('listening', () => {
    process.stderr.write(`listening on http://127.0.0.1:${this.address().port}\n`);
  });
  const named = typeof port === 'object' || typeof rest[0] === 'string';
  return named ? listen.call(this, port, ...rest) : listen.call(this, port, '127.0.0.1', ...rest);
};
