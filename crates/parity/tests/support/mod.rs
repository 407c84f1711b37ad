//! Servers in this process, and a Socket.IO client that speaks in frames.

#![allow(dead_code, reason = "each test uses a part")]

use std::{collections::VecDeque, net::SocketAddr, time::Duration};

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use socketioxide::{SocketIo, layer::SocketIoLayer};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream, connect_async, tungstenite::Message,
};

/// How long anything may take before a test fails.
pub(crate) const DEADLINE: Duration = Duration::from_secs(20);

/// A server, and its `io`.
pub(crate) async fn start() -> (SocketAddr, SocketIo) {
    let (layer, io) = SocketIo::new_layer();
    (serve(layer).await, io)
}

pub(crate) async fn serve(layer: SocketIoLayer) -> SocketAddr {
    serve_app(Router::new().layer(layer)).await
}

pub(crate) async fn serve_app(app: Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    tokio::spawn(async { axum::serve(listener, app).await });
    address
}

/// Waits for something inside of the deadline.
pub(crate) async fn soon<T>(what: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, what)
        .await
        .expect("it happens before the deadline")
}

/// An event as it came.
#[derive(Debug, PartialEq)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) args: Vec<Value>,
    pub(crate) ack: Option<u64>,
}

/// One connection with WebSocket, in one namespace.
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// `"/admin,"`, or nothing for `/`
    namespace: String,
    pub(crate) sid: String,
    events: VecDeque<Event>,
    acks: u64,
    pinged: bool,
    /// The attachments of the last event with attachments.
    pub(crate) attachments: Vec<Vec<u8>>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let connected = Self::connect_to(address, "", json!({})).await;
        connected.expect("the server accepts the client")
    }

    /// An error is what came with `connect_error`.
    pub(crate) async fn connect_to(
        address: SocketAddr,
        namespace: &str,
        auth: Value,
    ) -> Result<Self, Value> {
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let (socket, _) = soon(connect_async(url)).await.expect("a handshake");
        let mut client = Self {
            socket,
            namespace: namespace.to_owned(),
            sid: String::new(),
            events: VecDeque::new(),
            acks: 0,
            pinged: false,
            attachments: Vec::new(),
        };
        assert!(client.receive().await.starts_with('0'), "it opens");
        client.send(&format!("40{namespace}{auth}")).await;
        let answer = client.receive().await;
        let (kind, json) = answer.split_at(2 + namespace.len());
        let json: Value = serde_json::from_str(json).expect("JSON");
        if kind.starts_with("44") {
            return Err(json);
        }
        assert!(kind.starts_with("40"), "{answer}");
        client.sid = json["sid"].as_str().expect("a session id").to_owned();
        Ok(client)
    }

    pub(crate) async fn send(&mut self, text: &str) {
        let sent = self.socket.send(Message::text(text)).await;
        sent.expect("the connection is open");
    }

    pub(crate) async fn send_binary(&mut self, bytes: &'static [u8]) {
        let sent = self.socket.send(Message::binary(bytes)).await;
        sent.expect("the connection is open");
    }

    /// Emits without waiting until it has been written.
    pub(crate) async fn feed(&mut self, name: &str, args: &Value) {
        let text = event(&self.namespace, "", name, args);
        let fed = self.socket.feed(Message::text(text)).await;
        fed.expect("the connection is open");
    }

    pub(crate) async fn flush(&mut self) {
        self.socket.flush().await.expect("the connection is open");
    }

    pub(crate) async fn emit(&mut self, name: &str, args: Value) {
        let text = event(&self.namespace, "", name, &args);
        self.send(&text).await;
    }

    /// Emits, and returns what comes back.
    pub(crate) async fn call(&mut self, name: &str, args: Value) -> Value {
        let id = self.acks;
        self.acks += 1;
        let text = event(&self.namespace, &id.to_string(), name, &args);
        self.send(&text).await;
        let answer = format!("43{}{id}", self.namespace);
        loop {
            let text = self.receive().await;
            if let Some(json) = text.strip_prefix(&answer) {
                return serde_json::from_str(json).expect("JSON");
            }
            self.keep(&text).await;
        }
    }

    pub(crate) async fn acknowledge(&mut self, id: u64, args: Value) {
        let text = format!("43{}{id}{args}", self.namespace);
        self.send(&text).await;
    }

    /// The next event.
    pub(crate) async fn event(&mut self) -> Event {
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let text = self.receive().await;
            self.keep(&text).await;
        }
    }

    async fn keep(&mut self, text: &str) {
        let (packet, count) = match text.strip_prefix("45") {
            Some(rest) => {
                let (count, rest) = rest.split_once('-').expect("a count");
                (rest, count.parse().expect("a number"))
            }
            None => (text.strip_prefix("42").expect("an event"), 0),
        };
        let packet = packet.strip_prefix(&self.namespace).expect("our namespace");
        let start = packet.find('[').expect("arguments");
        let mut args: Vec<Value> =
            serde_json::from_str(&packet[start..]).expect("JSON");
        let name = args.remove(0).as_str().expect("a name").to_owned();
        let ack = packet[..start].parse().ok();
        self.events.push_back(Event { name, args, ack });
        if count > 0 {
            self.attachments.clear();
        }
        for _ in 0..count {
            let message = soon(self.socket.next()).await;
            let Some(Ok(Message::Binary(bytes))) = message else {
                panic!("an attachment was expected, and {message:?} came")
            };
            self.attachments.push(bytes.to_vec());
        }
    }

    /// The next text. Pings are answered.
    pub(crate) async fn receive(&mut self) -> String {
        loop {
            let message = soon(self.socket.next()).await;
            match message {
                Some(Ok(Message::Text(text))) if text == "2" => {
                    self.pinged = true;
                    self.send("3").await;
                }
                Some(Ok(Message::Text(text))) => return text.to_string(),
                other => panic!("text was expected, and {other:?} came"),
            }
        }
    }

    /// Waits for the first ping, and answers it.
    pub(crate) async fn ping(&mut self) {
        if self.pinged {
            return;
        }
        let message = soon(self.socket.next()).await;
        match message {
            Some(Ok(Message::Text(text))) if text == "2" => self.send("3").await,
            other => panic!("a ping was expected, and {other:?} came"),
        }
    }

    /// All texts until the server disconnects the client, or closes the connection.
    pub(crate) async fn rest(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while let Some(Ok(message)) = soon(self.socket.next()).await {
            if let Message::Text(text) = message {
                texts.push(text.to_string());
                if text == "41" {
                    break;
                }
            }
        }
        texts
    }
}

fn event(namespace: &str, ack: &str, name: &str, args: &Value) -> String {
    let args = args.as_array().expect("arguments are an array");
    let mut all = vec![json!(name)];
    all.extend_from_slice(args);
    format!("42{namespace}{ack}{}", Value::from(all))
}
