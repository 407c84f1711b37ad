// The course's own Socket.IO client: what is behind `io()` in a page, to be read
// from top to bottom.
//
//   <script src="/socket.io/socket.io.js"></script>
//   <script>
//     const socket = io();
//     socket.on('news', (text) => console.log(text));
//     socket.emit('hello', 1, 'two', new Uint8Array([3]));
//   </script>
//
// The lessons send this file where npm has not installed the official client. It has
// the API of socket.io-client 4.8.4, and the same tests run on both. It leaves out:
//
// - HTTP long-polling: it speaks WebSocket only;
// - `retries`, and the recovery of missed packets: `socket.recovered` stays false;
// - what few pages use: `prependAny`, `compress`, setters of a Manager's options;
// - what browsers have no use for, such as `extraHeaders`.
//
// From the page down to the bytes:
//
//   io()              finds the connection to a server, or makes one
//   Manager           one connection, shared by its namespaces, made again when lost
//   Socket            one namespace: events, acks, what waits for the connection
//   Engine            a WebSocket with a handshake and a heartbeat
//   encode, Decoder   packets as text, with binary attachments
//
// Engine follows github.com/socketio/engine.io-protocol, revision 4; encode and
// Decoder follow github.com/socketio/socket.io-protocol, revision 5.
//
// A name that begins with `_` is for these classes only.
(() => {
  'use strict';

  // ANCHOR: io
  const managers = new Map(); // by server and path

  function io(url, options = {}) {
    if (typeof url === 'object') [url, options] = [undefined, url];
    if (options.retries) throw new Error('this client has no `retries`');
    const { server, namespace } = parse(url);
    const key = `${server} ${options.path}`;
    const shared = managers.get(key);
    // A packet says which namespace it is for, and no more. So a second socket in
    // the same namespace needs a connection of its own.
    const alone = options.forceNew || options.multiplex === false
      || shared?._sockets.has(namespace);
    const manager = alone || !shared ? new Manager(url, options) : shared;
    if (!alone) managers.set(key, manager);
    return manager.socket(namespace, options);
  }

  // The path of the URL is the namespace: `io('/admin')` is one of this page's
  // server, `io('http://host/admin')` one of another's. The path of the request is
  // an option.
  function parse(url = '/') {
    const full = /^(\w+:)?\//.test(url) ? url : `//${url}`;
    const { protocol, host, search } = new URL(full, globalThis.location?.href);
    // Not `pathname`, where what is not ASCII is escaped.
    const [, namespace] = /^(?:(?:\w+:)?\/\/[^/?#]*)?([^?#]*)/.exec(full);
    return {
      server: `${protocol.replace('http', 'ws')}//${host}`,
      namespace: namespace || '/',
      query: search,
    };
  }
  // ANCHOR_END: io

  // As in Node's EventEmitter.
  class Emitter {
    #listeners = Object.create(null); // no prototype: an event may be 'toString'

    on(event, listener) {
      (this.#listeners[event] ??= []).push(listener);
      return this;
    }

    once(event, listener) {
      const wrapper = (...args) => {
        this.off(event, wrapper);
        listener.apply(this, args);
      };
      wrapper.listener = listener; // so that `off` finds it
      return this.on(event, wrapper);
    }

    // One listener, or all of an event, or all. Those of `onAny` stay: their event
    // is a symbol.
    off(event, listener) {
      if (listener) {
        const list = this.listeners(event);
        const i = list.findIndex((l) => l === listener || l.listener === listener);
        if (i >= 0) list.splice(i, 1);
      } else {
        const events = event === undefined ? Object.keys(this.#listeners) : [event];
        for (const name of events) delete this.#listeners[name];
      }
      return this;
    }

    removeListener(event, listener) { return this.off(event, listener); }
    removeAllListeners(event) { return this.off(event); }
    listeners(event) { return this.#listeners[event] ?? []; }
    hasListeners(event) { return this.listeners(event).length > 0; }

    // Not `emit`, which sends. A copy, since a listener may remove itself.
    _dispatch(event, ...args) {
      for (const listener of [...this.listeners(event)]) listener.apply(this, args);
    }
  }

  class Manager extends Emitter {
    _sockets = new Map(); // by namespace
    _state = 'closed'; // or 'opening', or 'open'
    _reconnecting = false; // waiting for the next attempt, or in it
    #mayReconnect = false; // not after `disconnect()`
    #attempts = 0;
    #timer; // of the opening, or until the next attempt

    constructor(url, options = {}) {
      super();
      if (options.transports && !options.transports.includes('websocket')) {
        throw new Error("this client has one transport: add 'websocket'");
      }
      this.uri = url;
      this.opts = options;
    }

    socket(namespace, options) {
      const known = this._sockets.get(namespace);
      const socket = known ?? new Socket(this, namespace, options);
      this._sockets.set(namespace, socket);
      if (this.opts.autoConnect !== false && !socket.active) socket.connect();
      return socket;
    }

    // ANCHOR: open
    open() {
      if (this._state !== 'closed') return this;
      const engine = new Engine(this.#address());
      const decoder = new Decoder();
      this.engine = engine;
      this._state = 'opening';
      this.#mayReconnect = this.opts.reconnection !== false;
      engine.on('open', () => this.#onOpen());
      engine.on('data', (message) => this.#onData(decoder, message));
      engine.on('ping', () => this._dispatch('ping'));
      engine.on('error', (error) => {
        if (this._state === 'opening') this.#onOpenFailed(error);
        else this._dispatch('error', error);
      });
      engine.on('close', (reason, details) => {
        if (this._state === 'opening') this.#onOpenFailed(new Error(reason));
        else if (this._state === 'open') this.#onClose(reason, details);
      });
      clearTimeout(this.#timer);
      const { timeout = 20_000 } = this.opts;
      const giveUp = () => this.#onOpenFailed(new Error('timeout'));
      if (timeout !== false) this.#timer = setTimeout(giveUp, timeout);
      return this;
    }

    // The request that becomes a WebSocket.
    #address() {
      const { path = '/socket.io', query } = this.opts;
      const url = parse(this.uri);
      const search = new URLSearchParams(url.query || query);
      search.set('EIO', '4');
      search.set('transport', 'websocket');
      return `${url.server}${path.replace(/\/$/, '')}/?${search}`;
    }

    #onOpen() {
      clearTimeout(this.#timer);
      this._state = 'open';
      const attempts = this._reconnecting ? this.#attempts : 0;
      this._reconnecting = false;
      this.#eachActive((socket) => socket._onOpen());
      this._dispatch('open');
      if (attempts > 0) this._dispatch('reconnect', attempts);
    }

    #onOpenFailed(error) {
      const wasReconnecting = this._reconnecting;
      this.#release();
      // A listener may call `connect()`, which has to take its turn, too.
      this._reconnecting = this.#mayReconnect;
      this.#eachActive((socket) => socket._dispatch('connect_error', error));
      this._dispatch('error', error);
      this._reconnecting = false;
      this.#reconnect();
      if (wasReconnecting) this._dispatch('reconnect_error', error);
    }
    // ANCHOR_END: open

    // ANCHOR: reconnect
    #onClose(reason, details) {
      this.#release();
      this._reconnecting = false;
      this.#attempts = 0;
      this.#eachActive((socket) => socket._onClose(reason, details));
      this._dispatch('close', reason, details);
      this.#reconnect();
    }

    #reconnect() {
      // A listener may have opened it, or disconnected for good.
      if (this._state !== 'closed' || !this.#mayReconnect) return;
      if (this.#attempts >= (this.opts.reconnectionAttempts || Infinity)) {
        this.#attempts = 0;
        this._dispatch('reconnect_failed');
        return;
      }
      this._reconnecting = true;
      this.#timer = setTimeout(() => {
        this._dispatch('reconnect_attempt', this.#attempts);
        if (this._reconnecting) this.open();
      }, this.#delay());
    }

    // Twice as long each time. And at random: when a server comes back, its clients
    // would otherwise all return in the same instant.
    #delay() {
      const { opts } = this;
      const delay = (opts.reconnectionDelay || 1000) * 2 ** this.#attempts++;
      const spread = opts.randomizationFactor ?? 0.5;
      const random = 1 + spread * (2 * Math.random() - 1);
      return Math.min(delay * random, opts.reconnectionDelayMax || 5000);
    }
    // ANCHOR_END: reconnect

    _closeIfUnused() {
      if ([...this._sockets.values()].some((socket) => socket.active)) return;
      this.#mayReconnect = false;
      this.#onClose('forced close');
    }

    // First the state: what the engine says of its end is not a loss then.
    #release() {
      this._state = 'closed';
      clearTimeout(this.#timer);
      this.engine?.close();
    }

    #onData(decoder, message) {
      let packet;
      try {
        packet = decoder.add(message);
      } catch (error) {
        return this.#onClose('parse error', error);
      }
      // Outside of `try`: a mistake in a listener is not one of the server.
      const socket = packet && this._sockets.get(packet.nsp);
      if (socket?.active) socket._onPacket(packet);
    }

    _send(packet) {
      for (const message of encode(packet)) this.engine.write(message);
    }

    // A copy, since listeners may add sockets.
    #eachActive(action) {
      [...this._sockets.values()].filter((socket) => socket.active).forEach(action);
    }
  }

  // What happens to a connection, so no event of a page may have these names.
  const RESERVED = new Set([
    'connect', 'connect_error', 'disconnect', 'disconnecting',
    'newListener', 'removeListener',
  ]);
  const INCOMING = Symbol('any event that came');
  const OUTGOING = Symbol('any event that was sent');

  class Socket extends Emitter {
    id = undefined; // until connected; another one after a reconnect
    connected = false;
    active = false; // connected, or trying to be
    recovered = false;
    sendBuffer = [];
    receiveBuffer = [];
    #acks = new Map(); // by id: those who wait for an answer
    #nextAck = 0;
    #ackTimeout;
    #flags = {}; // of the next `emit` only

    constructor(manager, namespace, { auth, ackTimeout } = {}) {
      super();
      this.io = manager;
      this.nsp = namespace;
      this.auth = auth;
      this.#ackTimeout = ackTimeout;
    }

    get disconnected() { return !this.connected; }
    open() { return this.connect(); }
    close() { return this.disconnect(); }

    // ANCHOR: connect
    connect() {
      if (this.connected) return this;
      this.active = true;
      if (!this.io._reconnecting) this.io.open();
      if (this.io._state === 'open') this._onOpen();
      return this;
    }

    // The connection is there. Each namespace now has to be asked for, `/` too.
    // `auth` goes along: a page cannot add headers to the request of a WebSocket.
    _onOpen() {
      const ask = (auth) => this._send({ type: CONNECT, data: auth });
      if (typeof this.auth === 'function') this.auth(ask);
      else ask(this.auth);
    }

    #onConnect({ sid }) {
      this.id = sid;
      this.connected = true;
      // Before 'connect', or what its listener emits would overtake what waited.
      for (const args of this.receiveBuffer.splice(0)) this.#deliver(args);
      for (const packet of this.sendBuffer.splice(0)) this.#transmit(packet);
      this._dispatch('connect');
    }

    disconnect() {
      if (this.connected) this._send({ type: DISCONNECT });
      this.#leave();
      if (this.connected) this._onClose('io client disconnect');
      return this;
    }

    #leave() {
      this.active = false;
      this.io._closeIfUnused();
    }

    _onClose(reason, details) {
      this.connected = false;
      this.id = undefined;
      this._dispatch('disconnect', reason, details);
      this.#dropAcks();
    }
    // ANCHOR_END: connect

    // ANCHOR: emit
    emit(event, ...args) {
      const callback = typeof args.at(-1) === 'function' ? args.pop() : undefined;
      return this.#emit([event, ...args], callback);
    }

    #emit(data, callback, errorFirst = false) {
      if (RESERVED.has(data[0])) {
        throw new Error(`"${data[0]}" is a reserved event name`);
      }
      this.io.engine?.checkHeartbeat();
      const { volatile, timeout = this.#ackTimeout } = this.#flags;
      this.#flags = {};
      const packet = { type: EVENT, data };
      if (callback) packet.id = this.#expectAck(callback, timeout, errorFirst);
      const writable = this.connected && this.io.engine.transport.writable;
      if (volatile && !writable) return this;
      if (this.connected) this.#transmit(packet);
      else this.sendBuffer.push(packet);
      return this;
    }

    // For what is worthless later, such as a position: dropped if it cannot go now.
    get volatile() {
      this.#flags.volatile = true;
      return this;
    }

    send(...args) { return this.emit('message', ...args); }

    #transmit(packet) {
      this._dispatch(OUTGOING, ...packet.data);
      this._send(packet);
    }

    _send(packet) {
      this.io._send({ ...packet, nsp: this.nsp });
    }
    // ANCHOR_END: emit

    // ANCHOR: ack
    // A callback cannot travel. A number does: 27["save"] is answered by
    // 37["saved"].
    #expectAck(callback, timeout, errorFirst) {
      const id = this.#nextAck++;
      const ack = { callback, errorFirst: errorFirst || timeout !== undefined };
      this.#acks.set(id, ack);
      if (timeout === undefined) return id;
      ack.timer = setTimeout(() => {
        this.#acks.delete(id);
        // If it still waits to be sent, nobody wants the answer any more.
        this.sendBuffer = this.sendBuffer.filter((packet) => packet.id !== id);
        callback.call(this, new Error('operation has timed out'));
      }, timeout);
      return id;
    }

    #onAck({ id, data }) {
      const ack = this.#acks.get(id);
      if (!ack) return; // too late
      this.#acks.delete(id);
      clearTimeout(ack.timer);
      ack.callback.apply(this, ack.errorFirst ? [null, ...data] : data);
    }

    // The answer cannot come by another connection. A callback that takes no error
    // is never called.
    #dropAcks() {
      const error = new Error('socket has been disconnected');
      for (const [id, { callback, errorFirst, timer }] of this.#acks) {
        if (this.sendBuffer.some((packet) => packet.id === id)) continue;
        this.#acks.delete(id);
        clearTimeout(timer);
        if (errorFirst) callback.call(this, error);
      }
    }

    emitWithAck(event, ...args) {
      return new Promise((resolve, reject) => {
        const settle = (error, answer) => (error ? reject(error) : resolve(answer));
        this.#emit([event, ...args], settle, true);
      });
    }

    timeout(milliseconds) {
      this.#flags.timeout = milliseconds;
      return this;
    }

    // The other way round: the server asks, and the listener has the callback.
    #answer(id) {
      let answered = false;
      return (...data) => {
        if (!answered) this._send({ type: ACK, id, data });
        answered = true;
      };
    }
    // ANCHOR_END: ack

    // ANCHOR: receive
    _onPacket({ type, id, data }) {
      if (type === CONNECT) {
        this.#onConnect(data);
      } else if (type === CONNECT_ERROR) {
        this.#leave(); // the answer would be the same until the page changes `auth`
        const error = new Error(data.message);
        error.data = data.data;
        this._dispatch('connect_error', error);
      } else if (type === DISCONNECT) {
        this.#leave(); // the server wants it so: only the page may connect again
        this._onClose('io server disconnect');
      } else if (type === ACK) {
        this.#onAck({ id, data });
      } else {
        const args = id === undefined ? data : [...data, this.#answer(id)];
        if (this.connected) this.#deliver(args);
        else this.receiveBuffer.push(args);
      }
    }

    #deliver(args) {
      this._dispatch(INCOMING, ...args);
      this._dispatch(...args);
    }
    // ANCHOR_END: receive

    onAny(listener) { return this.on(INCOMING, listener); }
    offAny(listener) { return this.off(INCOMING, listener); }
    onAnyOutgoing(listener) { return this.on(OUTGOING, listener); }
    offAnyOutgoing(listener) { return this.off(OUTGOING, listener); }
  }

  // ANCHOR: engine
  // A message of Engine.IO is text whose first character is its type. The other
  // types, 1 close, 5 upgrade and 6 noop, are of use in long-polling.
  const [OPEN, PING, PONG, MESSAGE] = ['0', '2', '3', '4'];

  class Engine extends Emitter {
    id = null; // of the connection; `socket.id` is another in Node
    #ws;
    #ended = false;
    #timer;
    #patience; // milliseconds until a ping is missed
    #deadline = Infinity;

    constructor(url) {
      super();
      const ws = new WebSocket(url);
      ws.binaryType = 'arraybuffer';
      ws.onmessage = ({ data }) => this.#onMessage(data);
      ws.onerror = (event) => {
        const type = 'TransportError';
        this.#fail('websocket error', { type, description: event });
      };
      ws.onclose = (event) => {
        const description = 'websocket connection closed';
        this.#end('transport close', { description, context: event });
      };
      this.#ws = ws;
      if (new URL(url).hostname !== 'localhost') {
        globalThis.addEventListener?.('offline', this.#offline);
      }
    }

    #offline = () => {
      this.#end('transport close', { description: 'network connection lost' });
    };

    #onMessage(data) {
      if (this.#ended) return;
      // Binary messages have no type: they are the attachments of the last text.
      if (typeof data !== 'string') return this._dispatch('data', data);
      const [type, payload] = [data[0], data.slice(1)];
      if (type === OPEN) {
        const { sid, pingInterval, pingTimeout } = JSON.parse(payload);
        this.id = sid;
        this.#patience = pingInterval + pingTimeout;
        this.#expectPing();
        this._dispatch('open');
      } else if (type === PING) {
        this.#ws.send(PONG);
        this.#expectPing();
        this._dispatch('ping');
      } else if (type === MESSAGE) {
        this._dispatch('data', payload);
      } else if (!/^[1-6]/.test(data)) {
        this.#fail('server error', { code: 'parser error' });
      }
    }

    get transport() {
      const { readyState, bufferedAmount } = this.#ws;
      const writable = readyState === WebSocket.OPEN && bufferedAmount === 0;
      return { name: 'websocket', writable };
    }

    write(packet) {
      if (this.#ws.readyState !== WebSocket.OPEN) return; // 'close' will follow
      this.#ws.send(typeof packet === 'string' ? MESSAGE + packet : packet);
    }

    close() { this.#end('forced close'); }

    #fail(message, details) {
      if (this.#ended) return;
      const error = Object.assign(new Error(message), details);
      this._dispatch('error', error);
      this.#end('transport error', error);
    }

    #end(reason, details) {
      if (this.#ended) return;
      this.#ended = true;
      this.id = null;
      clearTimeout(this.#timer);
      globalThis.removeEventListener?.('offline', this.#offline);
      this.#ws.close();
      this._dispatch('close', reason, details);
    }
    // ANCHOR_END: engine

    // ANCHOR: heartbeat
    // A connection can die without a word: a cable is pulled, a laptop sleeps. But
    // the server pings at an interval, so silence tells.
    #expectPing() {
      clearTimeout(this.#timer);
      this.#deadline = Date.now() + this.#patience;
      this.#timer = setTimeout(() => this.#end('ping timeout'), this.#patience);
    }

    // Timers do not run while a laptop sleeps. When it wakes, a click may come
    // first.
    checkHeartbeat() {
      if (Date.now() > this.#deadline) this.#end('ping timeout');
    }
    // ANCHOR_END: heartbeat
  }

  // The types of a Socket.IO packet. With attachments, EVENT is 5 and ACK is 6.
  const [CONNECT, DISCONNECT, EVENT, ACK, CONNECT_ERROR] = [0, 1, 2, 3, 4];
  const BINARY = 3; // what attachments add to the type

  // ANCHOR: encode
  // <type>[<attachments>-][<namespace>,][<ack id>][<JSON>]
  //
  //   0{"token":"secret"}                        CONNECT to /
  //   2/admin,7["hello",1]                       EVENT, answered by 3/admin,7[]
  //   51-["file",{"_placeholder":true,"num":0}]  EVENT; the bytes come next
  function encode({ type, nsp, id, data }) {
    const attachments = [];
    const json = JSON.stringify(data, function (key, value) {
      // Not `value`, which has been through toJSON: a Buffer of Node has one.
      const original = this[key];
      if (!isBinary(original) || type === CONNECT) return value;
      attachments.push(original);
      return { _placeholder: true, num: attachments.length - 1 };
    });
    const count = attachments.length;
    const head = count > 0 ? `${type + BINARY}${count}-` : type;
    const namespace = nsp === '/' ? '' : `${nsp},`;
    return [`${head}${namespace}${id ?? ''}${json ?? ''}`, ...attachments];
  }

  function isBinary(value) {
    return ArrayBuffer.isView(value) || value instanceof ArrayBuffer
      || value instanceof Blob;
  }
  // ANCHOR_END: encode

  // ANCHOR: decode
  const PACKET = /^([0-6])(?:(\d+)-)?(?:(\/[^,]*),?)?(\d+)?(.*)$/s;
  const MAX_ATTACHMENTS = 10; // in one packet, as in Node

  function decode(text) {
    const parts = PACKET.exec(text) ?? invalid(text);
    const [digit, count, nsp = '/', id, json] = parts.slice(1);
    const binary = digit >= EVENT + BINARY;
    const type = binary ? digit - BINARY : Number(digit);
    const missing = Number(count ?? 0); // attachments, which come next
    const data = json ? JSON.parse(json) : undefined;
    if (binary !== (missing > 0) || missing > MAX_ATTACHMENTS) invalid(text);
    if (!fits(type, data)) invalid(text);
    return { type, nsp, id: id && Number(id), data, missing };
  }

  // Whether a packet of this type may carry this.
  function fits(type, data) {
    if (type === CONNECT) return typeof data?.sid === 'string';
    if (type === CONNECT_ERROR) return typeof data?.message === 'string';
    if (type === DISCONNECT) return data === undefined;
    if (type === ACK) return Array.isArray(data);
    return Array.isArray(data) && !RESERVED.has(data[0])
      && ['string', 'number'].includes(typeof data[0]);
  }

  function invalid(message) {
    throw new Error(`not a packet: ${message}`);
  }

  class Decoder {
    #packet; // of which attachments are missing
    #attachments = [];

    // Takes a message. Returns the packet that it completes, if it does.
    add(message) {
      if (typeof message === 'string') {
        if (this.#packet) invalid(message);
        const packet = decode(message);
        if (packet.missing === 0) return packet;
        this.#packet = packet;
        return undefined;
      }
      const packet = this.#packet ?? invalid(message);
      if (this.#attachments.push(message) < packet.missing) return undefined;
      packet.data = fill(packet.data, this.#attachments);
      this.#packet = undefined;
      this.#attachments = [];
      return packet;
    }
  }

  // Puts the attachments where their placeholders are, however deep.
  function fill(value, attachments) {
    if (typeof value !== 'object' || value === null) return value;
    const { _placeholder: isPlaceholder, num } = value;
    if (isPlaceholder === true) return attachments[num] ?? invalid(num);
    for (const key of Object.keys(value)) value[key] = fill(value[key], attachments);
    return value;
  }
  // ANCHOR_END: decode

  globalThis.io = Object.assign(io, { io, connect: io, Manager, Socket });
})();
