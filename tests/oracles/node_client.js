// What node's HTTP client (llhttp) reads as the answer in each record of a file: H (asked with HEAD)
// or G, then what a server sends until it closes. One line of JSON for each, bytes as latin1:
// a list of at most one [status, reason, [[name, value] ...], body, [[name, value] ...] trailers].
'use strict';
const fs = require('fs');
const http = require('http');
const { Duplex } = require('stream');

class Server extends Duplex {
  constructor(bytes) {
    super();
    this.bytes = bytes;
    this.isAsked = false;
  }
  _read() {}
  _write(chunk, encoding, done) { // the request: now the answer
    if (!this.isAsked) {
      this.isAsked = true;
      setImmediate(() => { this.push(this.bytes); this.push(null); });
    }
    done();
  }
  setTimeout() {}
  setNoDelay() {}
  setKeepAlive() {}
  ref() {}
  unref() {}
}

function pairs(raw) {
  const list = [];
  for (let i = 0; i < raw.length; i += 2) list.push([raw[i], raw[i + 1]]);
  return list;
}

function readRecord(method, bytes) {
  return new Promise((resolve) => {
    const agent = new http.Agent();
    agent.createConnection = () => new Server(bytes);
    const request = http.request({ method, agent, host: 'a.test', maxHeaderSize: 65536 });
    request.on('response', (response) => {
      const body = [];
      response.on('data', (chunk) => body.push(chunk));
      response.on('error', () => resolve([]));
      response.on('aborted', () => resolve([]));
      response.on('end', () => resolve([[
        String(response.statusCode), response.statusMessage, pairs(response.rawHeaders),
        Buffer.concat(body).toString('latin1'), pairs(response.rawTrailers)]]));
    });
    request.on('upgrade', () => resolve([]));
    request.on('error', () => resolve([]));
    request.on('close', () => setImmediate(() => resolve([])));
    request.end();
  });
}

async function main() {
  const file = fs.readFileSync(process.argv[2]);
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32BE(at);
    const record = file.subarray(at + 4, at + 4 + length);
    const answer = await readRecord(record[0] === 0x48 ? 'HEAD' : 'GET', record.subarray(1));
    process.stdout.write(JSON.stringify(answer) + '\n');
    at += 4 + length;
  }
  process.exit(0);
}

main();
