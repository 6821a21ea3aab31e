// What node's HTTP server (llhttp) reads in the records of a file: one line of JSON for each record,
// a list of [method, target, [[name, value] ...], body, [[name, value] ...] trailers], bytes as
// latin1. Requests whose end was not seen are not listed.
'use strict';
const fs = require('fs');
const http = require('http');
const { Duplex } = require('stream');

class Visitor extends Duplex {
  _read() {}
  _write(chunk, encoding, done) { done(); }
  setTimeout() {}
  setNoDelay() {}
  setKeepAlive() {}
}

function pairs(raw) {
  const list = [];
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i], raw[i + 1]]);
  return list;
}

// Node reads the next request of a connection once the last is answered, so the end of a record is
// when nothing happens any more: a few turns of its loop.
async function readRecord(server, bytes, seen) {
  const visitor = new Visitor();
  visitor.on('error', () => {});
  visitor.seen = seen;
  visitor.requests = 0;
  server.emit('connection', visitor);
  visitor.push(bytes);
  let quiet = 0;
  let before = -1;
  while (quiet < 6) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = visitor.requests === before ? quiet + 1 : 0;
    before = visitor.requests;
  }
  visitor.destroy();
}

async function main() {
  const server = http.createServer({ maxHeaderSize: 65536, keepAliveTimeout: 0 });
  server.maxHeadersCount = 0;
  server.on('request', (request, response) => {
    const visitor = request.socket;
    const body = [];
    visitor.requests++;
    request.on('data', (chunk) => { visitor.requests++; body.push(chunk); });
    request.on('end', () => {
      visitor.requests++;
      visitor.seen.push([request.method, request.url, pairs(request.rawHeaders),
                         Buffer.concat(body).toString('latin1'), pairs(request.rawTrailers)]);
      response.end();
    });
    request.on('error', () => {});
    response.on('error', () => {});
  });
  server.on('clientError', () => {}); // what was read before the error counts
  const file = fs.readFileSync(process.argv[2]);
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32BE(at);
    const seen = [];
    await readRecord(server, file.subarray(at + 4, at + 4 + length), seen);
    process.stdout.write(JSON.stringify(seen) + '\n');
    at += 4 + length;
  }
  process.exit(0);
}

main();
