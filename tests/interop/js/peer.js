// npm's yamux-js, in the part of the other side. The protocol inside a stream is in ../lane.h.
//
//     node peer.js serve|connect PORT client|server OPEN ACCEPT SIZE AT_ONCE [whole-frames]
//
// `whole-frames` hands yamux-js one whole frame at a time; without it, it loses the rest of a
// frame that a read from the socket has cut (see ../README.md).
'use strict';
const crypto = require('crypto');
const net = require('net');
const { Transform } = require('stream');
const { Client, Server } = require('yamux-js');

const [how, port, role, open, accept, size, atOnce] = process.argv.slice(2, 9).map((text, i) =>
  (i === 0 || i === 2) ? text : Number(text));
const wholeFrames = process.argv[9] === 'whole-frames';
const noise = crypto.randomBytes((1 << 20) + 7919);
let opened = 0, accepted = 0, finished = 0, session = null, isOver = false;

function fail(why) {
  if (isOver) return;
  console.log('failed: ' + why + '; ' + finished + ' streams were done');
  process.exit(1);
}

// Cuts the byte stream into frames: a header, and the payload of a Data frame.
class Frames extends Transform {
  constructor() {
    super({ readableHighWaterMark: 1 << 20 });
    this.rest = Buffer.alloc(0);
  }
  _transform(chunk, encoding, done) {
    this.rest = this.rest.length === 0 ? chunk : Buffer.concat([this.rest, chunk]);
    while (this.rest.length >= 12) {
      const length = this.rest[1] === 0 ? 12 + this.rest.readUInt32BE(8) : 12;
      if (this.rest.length < length) break;
      this.push(this.rest.subarray(0, length));
      this.rest = this.rest.subarray(length);
    }
    done();
  }
}

function say(stream, index) {
  const start = index * 4099 % noise.length;
  const text = Buffer.concat([noise.subarray(start), noise, noise]).subarray(0, size);
  const head = Buffer.alloc(8);
  head.writeUInt32BE(index, 0);
  head.writeUInt32BE(size, 4);
  const hash = crypto.createHash('sha256').update(text).digest();
  stream.write(head);
  stream.write(text);
  stream.write(hash, () => {
    stream.close(); // sends the FIN; yamux-js has no way to hear ours
    stream.saidAll = true;
    settle(stream);
  });
}

function settle(stream) {
  if (!stream.saidAll || !stream.heardAll || stream.isSettled) return;
  stream.isSettled = true;
  // A second close() would send a second FIN; so the table of streams is told directly.
  session.closeStream(stream.ID());
  finished++;
  if (finished === open + accept) {
    if (open > 0) {
      // Not session.close(): it ends the side that reads, and what still arrives is then an error.
      console.log('done');
      isOver = true;
      session.goAway(0);
      session.push(null); // the pipe ends the connection once all is sent
    }
    return;
  }
  openMore();
}

function attend(stream, index) {
  const hash = crypto.createHash('sha256');
  let head = Buffer.alloc(0), left = -1, digest = Buffer.alloc(0);
  stream.on('error', (error) => fail('stream ' + stream.ID() + ': ' + error.message));
  stream.on('data', (data) => {
    if (left < 0) {
      head = Buffer.concat([head, data]);
      if (head.length < 8) return;
      if (index === null) {
        index = head.readUInt32BE(0);
        say(stream, index);
      }
      if (head.readUInt32BE(0) !== index) fail('an answer to another question');
      left = head.readUInt32BE(4);
      data = head.subarray(8);
    }
    const part = data.subarray(0, left);
    hash.update(part);
    left -= part.length;
    digest = Buffer.concat([digest, data.subarray(part.length)]);
    if (digest.length > 32) fail('bytes after the end');
    if (digest.length === 32 && !stream.heardAll) {
      if (!hash.digest().equals(digest)) fail('the hash is another');
      stream.heardAll = true;
      settle(stream);
    }
  });
}

function openMore() {
  while (opened < open && opened - finished < atOnce) {
    const index = opened++;
    const stream = session.open();
    attend(stream, index);
    say(stream, index);
  }
}

function begin(socket) {
  socket.setNoDelay(true);
  const onStream = (stream) => {
    if (++accepted > accept) fail('one stream too many');
    attend(stream, null);
  };
  const config = { logger: () => {} };
  session = role === 'client' ? new Client(config) : new Server(onStream, config);
  session.onStream = onStream; // a client of yamux may accept too; its constructor forgot
  session.on('error', (error) => fail('session: ' + error.message));
  socket.on('error', (error) => fail('socket: ' + error.message));
  socket.on('close', () => {
    if (finished !== open + accept) fail('the connection ended before the work');
    if (open === 0) console.log('done');
    process.exit(0);
  });
  (wholeFrames ? socket.pipe(new Frames()) : socket).pipe(session).pipe(socket);
  openMore();
}

setTimeout(() => fail('170 s are over'), 170000).unref();
if (how === 'serve') {
  const server = net.createServer((socket) => { server.close(); begin(socket); });
  server.listen(port, '127.0.0.1', () => console.log('port ' + server.address().port));
} else {
  const socket = net.connect(port, '127.0.0.1', () => begin(socket));
}
