// Preloaded with `node --require`: makes a server that names no host listen on loopback only.
'use strict';

const { Server } = require('node:net');

const listen = Server.prototype.listen;
Server.prototype.listen = function (port, ...rest) {
  const named = typeof port === 'object' || typeof rest[0] === 'string';
  return named ? listen.call(this, port, ...rest) : listen.call(this, port, '127.0.0.1', ...rest);
};
