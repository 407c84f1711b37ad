//! A Socket.IO client by hand, which can also break the rules, and sees what must not come:
//! Socket.IO 5 in Engine.IO 4 on a WebSocket. The sections named are those of the two
//! [protocols](https://github.com/socketio/socket.io-protocol).

use std::{borrow::BorrowMut, collections::VecDeque};

use serde_json::{Value, json};
use wire::{
    engineio,
    socketio::{Kind, Packet},
};

use crate::{
    Failure, Frame, Opcode, Result, Server, WebSocket, connection::MOST_UNREAD,
    deadline, within,
};

/// The path at which a server answers with Engine.IO on a WebSocket.
pub const ENGINE_IO: &str = "/socket.io/?EIO=4&transport=websocket";

/// A namespace that no lesson has.
const NOWHERE: &str = "/nobody-is-here";

impl Server {
    /// Lets five clients come, one after the other, each of which sends these packets and
    /// goes at once, whatever the server has to say.
    ///
    /// # Errors
    ///
    /// As for [`engineio`](Self::engineio) and [`EngineIo::send`].
    pub async fn engineio_that_vanishes(&self, packets: &[&str]) -> Result {
        for _ in 0..5 {
            let mut engine = self.engineio().await?;
            for packet in packets {
                engine.send(packet).await?;
            }
        }
        Ok(())
    }

    /// Opens an Engine.IO session, which is in no namespace yet.
    ///
    /// # Errors
    ///
    /// The handshake is refused, or is not answered with the packet that the protocol
    /// wants ("Handshake").
    pub async fn engineio(&self) -> Result<EngineIo> {
        EngineIo::open(self.websocket(ENGINE_IO).await?).await
    }

    /// Opens a session of its own and connects to `namespace` with `auth`, an object, or
    /// null for none.
    ///
    /// # Errors
    ///
    /// As for [`engineio`](Self::engineio) and [`SocketIo::connect`].
    pub async fn socketio(
        &self,
        namespace: &str,
        auth: Value,
    ) -> Result<SocketIo<EngineIo>> {
        let mut socket = self.engineio().await?.into_namespace(namespace);
        socket.connect(auth).await?;
        Ok(socket)
    }
}

/// An Engine.IO session: heartbeats, and the packets of all namespaces.
#[derive(Debug)]
pub struct EngineIo {
    socket: WebSocket,
    open: Value,
    answers_pings: bool,
    /// The id of the last event that wanted an ack.
    last_id: u64,
    /// What came while something else was awaited.
    unread: VecDeque<Packet>,
}

impl EngineIo {
    /// Begins a session on a WebSocket that is open already.
    ///
    /// # Errors
    ///
    /// The server does not begin with the packet that the protocol wants ("Handshake").
    pub async fn open(socket: WebSocket) -> Result<Self> {
        let mut engine = Self {
            socket,
            open: Value::Null,
            answers_pings: true,
            last_id: 0,
            unread: VecDeque::new(),
        };
        match engine.receive().await? {
            engineio::Packet::Open(json) => {
                engine.open = serde_json::from_str(&json)?;
                Ok(engine)
            }
            other => Err(engine.failure(&format!("not `0{{…}}`: {other:?}"))),
        }
    }

    /// What the server has said in the handshake: `sid`, `pingInterval` and so on.
    pub fn handshake(&self) -> &Value {
        &self.open
    }

    /// The WebSocket below, for frames and for the transcript.
    pub fn websocket(&mut self) -> &mut WebSocket {
        &mut self.socket
    }

    /// Whether pings are answered, as they are at first. They are answered while
    /// something is awaited; if they are not, [`receive`](Self::receive) returns them.
    pub fn answer_pings(&mut self, answer: bool) {
        self.answers_pings = answer;
    }

    /// Sends a text, whatever it is.
    ///
    /// # Errors
    ///
    /// The server has closed the connection, or does not read.
    pub async fn send(&mut self, text: &str) -> Result {
        self.socket.send_text(text).await
    }

    /// Sends bytes, whether a packet has announced them or not.
    ///
    /// # Errors
    ///
    /// As for [`send`](Self::send).
    pub async fn send_bytes(&mut self, bytes: &[u8]) -> Result {
        self.socket.send(Frame::new(Opcode::Binary, bytes)).await
    }

    /// The next Engine.IO packet.
    ///
    /// # Errors
    ///
    /// None comes, or something that is none.
    pub async fn receive(&mut self) -> Result<engineio::Packet> {
        let received = within("frame", self.next()).await;
        self.told(received.flatten())
    }

    /// The next Engine.IO packet. This waits as long as need be.
    async fn next(&mut self) -> Result<engineio::Packet> {
        loop {
            let message = self.socket.message().await?;
            let packet = match message.opcode {
                Opcode::Binary => engineio::Packet::Binary(message.payload),
                Opcode::Text => {
                    let text = String::from_utf8(message.payload)
                        .expect("other text breaks the rules of WebSocket");
                    engineio::Packet::parse(&text)
                        .map_err(|fault| self.failure(&fault.to_string()))?
                }
                _ => {
                    let what = format!("a message was expected, and {message} came");
                    return Err(self.failure(&what));
                }
            };
            if self.answers_pings && packet == engineio::Packet::Ping("".into()) {
                self.send("3").await?;
            } else {
                return Ok(packet);
            }
        }
    }

    /// If it was awaited in vain, the failure shows all that has come.
    fn told<T>(&mut self, received: Result<T>) -> Result<T> {
        received.map_err(|failure| self.socket.connection().tell(failure))
    }

    /// Waits for this packet, written as on the wire: `2`, `41/custom,`.
    ///
    /// # Errors
    ///
    /// Another one comes, or none.
    pub async fn expect(&mut self, packet: &str) -> Result {
        let got = self.receive().await?.encode();
        if got == packet {
            return Ok(());
        }
        let failure = Failure::texts("packet", packet, &got);
        Err(self.with_transcript(failure))
    }

    /// Waits until the server closes the session as Node does: a close frame without a
    /// code, and the end of the connection once that is answered.
    ///
    /// # Errors
    ///
    /// Something else comes first, or the session stays open.
    pub async fn expect_closed(&mut self) -> Result {
        let closed = within("frame", async {
            loop {
                let frame = self.socket.message().await?;
                match (frame.opcode, &*frame.payload) {
                    (Opcode::Text, b"2") if self.answers_pings => {
                        self.send("3").await?;
                    }
                    (Opcode::Close, b"") => return Ok(()),
                    _ => {
                        let what = format!("a close was expected, and {frame} came");
                        return Err(self.failure(&what));
                    }
                }
            }
        });
        let closed = closed.await.flatten();
        self.told(closed)?;
        self.socket.send(Frame::new(Opcode::Close, "")).await?;
        self.socket.connection().closed().await
    }

    /// One namespace of this session. The session need not be connected to it.
    pub fn of(&mut self, namespace: &str) -> SocketIo<&mut Self> {
        SocketIo {
            engine: self,
            namespace: namespace.into(),
        }
    }

    /// One namespace, which keeps the session. Otherwise as [`of`](Self::of).
    pub fn into_namespace(self, namespace: &str) -> SocketIo<Self> {
        SocketIo {
            engine: self,
            namespace: namespace.into(),
        }
    }

    /// The next Socket.IO packet, with its attachments. This waits as long as need be.
    async fn packet(&mut self) -> Result<Packet> {
        let text = match self.next().await? {
            engineio::Packet::Message(text) => text,
            other => return Err(self.failure(&format!("no message: {other:?}"))),
        };
        let (mut packet, attachments) = Packet::parse(&text)
            .map_err(|fault| self.failure(&format!("{text}: {fault}")))?;
        for _ in 0..attachments {
            match self.next().await? {
                engineio::Packet::Binary(bytes) => packet.attachments.push(bytes),
                other => {
                    return Err(self.failure(&format!("no attachment: {other:?}")));
                }
            }
        }
        Ok(packet)
    }

    /// The next packet for which `is_it`. Others are kept for whoever asks for them.
    async fn find(&mut self, is_it: impl Fn(&Packet) -> bool) -> Result<Packet> {
        if let Some(at) = self.unread.iter().position(&is_it) {
            return Ok(self.unread.remove(at).expect("it was found there"));
        }
        let before = self.unread.len();
        let mut size = self.unread.iter().map(size).sum::<usize>();
        let found = within("frame", async {
            loop {
                let packet = self.packet().await?;
                if is_it(&packet) {
                    return Ok(packet);
                }
                size += self::size(&packet);
                if size > MOST_UNREAD {
                    let most = MOST_UNREAD >> 20;
                    let what = format!("more than {most} MiB of packets came");
                    return Err(self.failure(&what));
                }
                self.unread.push_back(packet);
            }
        });
        let found = found.await.flatten().map_err(|failure| {
            match self.unread.len() - before {
                others @ 1.. if failure.timed_out() => failure.saying(format!(
                    "what was awaited did not come within {:?}, but {others} other \
                     packets did",
                    deadline()
                )),
                _ => failure,
            }
        });
        self.told(found)
    }

    fn failure(&mut self, message: &str) -> Failure {
        self.with_transcript(Failure::new(message))
    }

    fn with_transcript(&mut self, failure: Failure) -> Failure {
        failure.with(self.socket.connection().transcript())
    }
}

/// One namespace of an [`EngineIo`], which it owns or has borrowed.
#[derive(Debug)]
pub struct SocketIo<E> {
    engine: E,
    namespace: String,
}

/// An event that came from the server.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Its name.
    pub name: String,
    /// Its arguments, an array. What was bytes is as [`bytes`] makes it.
    pub arguments: Value,
    /// Where the server waits for an ack, its id.
    pub id: Option<u64>,
}

impl<E: BorrowMut<EngineIo>> SocketIo<E> {
    /// The session that this namespace is in.
    pub fn engine(&mut self) -> &mut EngineIo {
        self.engine.borrow_mut()
    }

    /// Connects to the namespace with `auth`, an object, or null for none. Returns the
    /// session id there ("Connection to a namespace").
    ///
    /// # Errors
    ///
    /// The server refuses, or answers with no id.
    pub async fn connect(&mut self, auth: Value) -> Result<String> {
        let answer = self.ask_to_connect(auth).await?;
        match (answer.kind, answer.value()["sid"].as_str()) {
            (Kind::Connect, Some(sid)) if !sid.is_empty() => Ok(sid.into()),
            _ => self.unexpected("the answer to CONNECT", &answer),
        }
    }

    /// Tries to connect to the namespace, and returns what the server says of it.
    ///
    /// # Errors
    ///
    /// The server does not refuse.
    pub async fn connect_error(&mut self, auth: Value) -> Result<Value> {
        let answer = self.ask_to_connect(auth).await?;
        match answer.kind {
            Kind::ConnectError => Ok(answer.value()),
            _ => self.unexpected("the answer to CONNECT", &answer),
        }
    }

    async fn ask_to_connect(&mut self, auth: Value) -> Result<Packet> {
        self.send(Kind::Connect, None, auth).await?;
        self.next(|packet| matches!(packet.kind, Kind::Connect | Kind::ConnectError))
            .await
    }

    /// Emits an event. `arguments` is an array; what [`bytes`] makes is sent as bytes.
    ///
    /// # Errors
    ///
    /// The server has closed the connection, or does not read.
    pub async fn emit(&mut self, name: &str, arguments: Value) -> Result {
        self.send(Kind::Event, None, named(name, arguments)).await
    }

    /// Emits an event that wants an ack. [`acked`](Self::acked) waits for it.
    ///
    /// # Errors
    ///
    /// As for [`emit`](Self::emit).
    pub async fn ask(&mut self, name: &str, arguments: Value) -> Result<u64> {
        let engine = self.engine();
        engine.last_id += 1;
        let id = engine.last_id;
        let arguments = named(name, arguments);
        self.send(Kind::Event, Some(id), arguments).await?;
        Ok(id)
    }

    /// Waits for the ack with this id, and returns its arguments.
    ///
    /// # Errors
    ///
    /// It does not come.
    pub async fn acked(&mut self, id: u64) -> Result<Value> {
        let is_ack = |kind| matches!(kind, Kind::Ack | Kind::BinaryAck);
        let ack = self
            .next(|packet| is_ack(packet.kind) && packet.id == Some(id))
            .await?;
        with_bytes(&ack)
    }

    /// Emits an event, and waits for its ack. Events that come before it are kept.
    ///
    /// # Errors
    ///
    /// As for [`ask`](Self::ask) and [`acked`](Self::acked).
    pub async fn emit_with_ack(
        &mut self,
        name: &str,
        arguments: Value,
    ) -> Result<Value> {
        let id = self.ask(name, arguments).await?;
        self.acked(id).await
    }

    /// The next event in this namespace.
    ///
    /// # Errors
    ///
    /// None comes, or the server disconnects this client.
    pub async fn next_event(&mut self) -> Result<Event> {
        let is_event = |kind| matches!(kind, Kind::Event | Kind::BinaryEvent);
        let packet = self.next(|packet| is_event(packet.kind)).await?;
        let mut arguments = with_bytes(&packet)?;
        let name = match arguments.as_array_mut() {
            Some(all) if !all.is_empty() => all.remove(0),
            _ => Value::Null,
        };
        Ok(Event {
            name: name.as_str().unwrap_or_default().into(),
            arguments,
            id: packet.id,
        })
    }

    /// Waits for the next event in this namespace, and fails unless it is this one.
    ///
    /// # Errors
    ///
    /// Another event comes, or none.
    pub async fn expect_event(
        &mut self,
        name: &str,
        arguments: Value,
    ) -> Result<Event> {
        let event = self.next_event().await?;
        if event.name == name && event.arguments == arguments {
            return Ok(event);
        }
        let expected = format!("{name} {arguments}");
        let got = format!("{} {}", event.name, event.arguments);
        let failure = Failure::texts("event", &expected, &got);
        Err(self.engine().with_transcript(failure))
    }

    /// Acknowledges `event`.
    ///
    /// # Errors
    ///
    /// The event wants no ack, or as for [`emit`](Self::emit).
    pub async fn ack(&mut self, event: &Event, arguments: Value) -> Result {
        if event.id.is_none() {
            let what = format!("{} wants no ack", event.name);
            return Err(self.engine().failure(&what));
        }
        self.send(Kind::Ack, event.id, arguments).await
    }

    /// Fails if there is anything from this namespace that the test has not asked for.
    ///
    /// The silence is proved by two questions that every server answers, sent one after
    /// the other: whether it has a namespace that it does not have. All that the server
    /// was about to send when the first was answered has come before the second answer.
    ///
    /// # Errors
    ///
    /// A packet of this namespace has come.
    pub async fn expect_nothing(&mut self) -> Result {
        for _ in 0..2 {
            let mut nowhere = self.engine().of(NOWHERE);
            nowhere.connect_error(Value::Null).await?;
        }
        let namespace = self.namespace.clone();
        let mut unread = self.engine().unread.iter();
        match unread.find(|packet| packet.namespace == namespace).cloned() {
            None => Ok(()),
            Some(packet) => self.unexpected("silence", &packet),
        }
    }

    /// Leaves the namespace ("Disconnection from a namespace"). There is no answer.
    ///
    /// # Errors
    ///
    /// As for [`emit`](Self::emit).
    pub async fn disconnect(&mut self) -> Result {
        self.send(Kind::Disconnect, None, Value::Null).await
    }

    async fn send(
        &mut self,
        kind: Kind,
        id: Option<u64>,
        mut payload: Value,
    ) -> Result {
        let mut attachments = Vec::new();
        take_bytes(&mut payload, &mut attachments)?;
        let packet = Packet {
            kind: match kind {
                Kind::Event if !attachments.is_empty() => Kind::BinaryEvent,
                Kind::Ack if !attachments.is_empty() => Kind::BinaryAck,
                kind => kind,
            },
            namespace: self.namespace.clone(),
            id,
            json: match payload {
                Value::Null => String::new(),
                payload => payload.to_string(),
            },
            attachments,
        };
        let engine = self.engine();
        engine.send(&format!("4{}", packet.encode())).await?;
        for bytes in &packet.attachments {
            engine.send_bytes(bytes).await?;
        }
        Ok(())
    }

    /// The next packet of this namespace for which `is_it`. Events and acks that come
    /// before it are kept; nothing else may come.
    async fn next(&mut self, is_it: impl Fn(&Packet) -> bool) -> Result<Packet> {
        let namespace = self.namespace.clone();
        let ends = |kind| matches!(kind, Kind::Disconnect | Kind::ConnectError);
        let packet = self.engine().find(|packet| {
            packet.namespace == namespace && (is_it(packet) || ends(packet.kind))
        });
        let packet = packet.await?;
        match is_it(&packet) {
            true => Ok(packet),
            false => self.unexpected("something else", &packet),
        }
    }

    fn unexpected<T>(&mut self, expected: &str, packet: &Packet) -> Result<T> {
        let got = packet.encode();
        let what = format!("{expected} was expected, and {got} came");
        Err(self.engine().failure(&what))
    }
}

/// What a packet takes of memory, about.
fn size(packet: &Packet) -> usize {
    let attachments = packet.attachments.iter();
    let attachments = attachments.map(|bytes| size_of_val(bytes) + bytes.len());
    size_of_val(packet) + packet.json.len() + attachments.sum::<usize>()
}

fn named(name: &str, mut arguments: Value) -> Value {
    let all = arguments.as_array_mut().expect("arguments are an array");
    all.insert(0, name.into());
    arguments
}

/// An argument that is bytes, for [`SocketIo::emit`] and to compare with what came.
pub fn bytes(bytes: impl AsRef<[u8]>) -> Value {
    json!({ BYTES: bytes.as_ref() })
}

/// Marks bytes in JSON, here in the test kit. On the wire there is a placeholder.
const BYTES: &str = "$bytes";

/// Puts placeholders where [`bytes`] are, which go into `attachments` ("Packet encoding").
fn take_bytes(value: &mut Value, attachments: &mut Vec<Vec<u8>>) -> Result {
    match value {
        Value::Array(array) => {
            for value in array {
                take_bytes(value, attachments)?;
            }
        }
        Value::Object(object) => {
            if let Some(bytes) = object.remove(BYTES) {
                let num = attachments.len();
                attachments.push(serde_json::from_value(bytes)?);
                *value = json!({"_placeholder": true, "num": num});
            } else {
                for value in object.values_mut() {
                    take_bytes(value, attachments)?;
                }
            }
        }
        _ => {}
    }
    Ok(())
}

/// The payload, with [`bytes`] where it has placeholders.
fn with_bytes(packet: &Packet) -> Result<Value> {
    let mut payload = packet.value();
    if matches!(packet.kind, Kind::BinaryEvent | Kind::BinaryAck) {
        put_bytes(&mut payload, &packet.attachments)?;
    }
    Ok(payload)
}

fn put_bytes(value: &mut Value, attachments: &[Vec<u8>]) -> Result {
    match value {
        Value::Array(array) => {
            for value in array {
                put_bytes(value, attachments)?;
            }
        }
        Value::Object(object) if object.contains_key("_placeholder") => {
            let num = object.get("num").and_then(Value::as_u64);
            let attachment = num.and_then(|num| attachments.get(num as usize));
            let none = || Failure::new(format!("{num:?} is no attachment's number"));
            *value = bytes(attachment.ok_or_else(none)?);
        }
        Value::Object(object) => {
            for value in object.values_mut() {
                put_bytes(value, attachments)?;
            }
        }
        _ => {}
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_become_placeholders_and_bytes_again() {
        let arguments = json!(["a", bytes(b"\x00\xff"), {"b": [bytes(b"")]}]);
        let mut payload = arguments.clone();
        let mut attachments = Vec::new();
        take_bytes(&mut payload, &mut attachments).expect("they are bytes");
        let placeholder = |num| json!({"_placeholder": true, "num": num});
        let expected = json!(["a", placeholder(0), {"b": [placeholder(1)]}]);
        assert_eq!(payload, expected);
        assert_eq!(attachments, [vec![0, 255], vec![]]);
        put_bytes(&mut payload, &attachments).expect("they are there");
        assert_eq!(payload, arguments);
        let error = put_bytes(&mut json!([placeholder(2)]), &attachments);
        assert!(error.is_err(), "there is no attachment 2");
    }
}
