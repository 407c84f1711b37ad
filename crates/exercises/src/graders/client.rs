//! A client for exercises whose server begins with `welcome(id)`.

use contract::{EngineIo, Explain, Failure, Result, Server, SocketIo};
use serde_json::{Value, json};

/// A client that has been welcomed. An event is written `["event", argument, …]` here.
pub(super) struct Client {
    /// What failures call it.
    name: &'static str,
    /// What others may know it by.
    pub(super) id: String,
    /// The id of its session, which nobody else may know.
    pub(super) session: String,
    pub(super) socket: SocketIo<EngineIo>,
}

/// An event that should not have come, and what the failure then says.
pub(super) struct Not<'a> {
    pub(super) event: Value,
    pub(super) mistake: &'a str,
    pub(super) help: &'a str,
}

impl Client {
    /// Connects to `/`.
    pub(super) async fn enter(server: &Server, name: &'static str) -> Result<Self> {
        Self::enter_with(server, name, "/", Value::Null).await
    }

    /// Connects to `namespace` with this `auth`.
    pub(super) async fn enter_with(
        server: &Server,
        name: &'static str,
        namespace: &str,
        auth: Value,
    ) -> Result<Self> {
        let mut socket = server.engineio().await?.into_namespace(namespace);
        let mut client = Self {
            name,
            id: String::new(),
            session: socket.connect(auth).await.context(name)?,
            socket,
        };
        // How one connects is not the subject. Who is welcomed, as which id, is.
        client.socket.engine().websocket().connection().forget();
        let welcome = client.next().await?;
        match (&welcome[0], &welcome[1]) {
            (Value::String(event), Value::String(id)) if event == "welcome" => {
                client.id = id.clone();
                Ok(client)
            }
            _ => Err(client.expected("event", "welcome(id)", &welcome)),
        }
    }

    /// The next event.
    pub(super) async fn next(&mut self) -> Result<Value> {
        self.receive().await.context(self.name)
    }

    async fn receive(&mut self) -> Result<Value> {
        let event = self.socket.next_event().await?;
        let mut all = vec![json!(event.name)];
        all.extend(event.arguments.as_array().into_iter().flatten().cloned());
        Ok(all.into())
    }

    /// The next event is this one.
    pub(super) async fn hears(&mut self, event: Value) -> Result {
        let got = self.next_where(&event).await?;
        match got == event {
            true => Ok(()),
            false => Err(self.unexpected(&event, &got)),
        }
    }

    /// The next event is this one. The unwanted one would come before it.
    pub(super) async fn hears_not(&mut self, not: Not<'_>, event: Value) -> Result {
        let got = self.next_where(&event).await?;
        if got == not.event {
            return Err(self.failure(not.mistake)).help(not.help);
        }
        match got == event {
            true => Ok(()),
            false => Err(self.unexpected(&event, &got)),
        }
    }

    /// The next event, where this one is expected.
    async fn next_where(&mut self, expected: &Value) -> Result<Value> {
        let context = format!("{} should hear {expected}", self.name);
        self.receive().await.context(context)
    }

    /// Emits an event.
    pub(super) async fn emit(&mut self, event: Value) -> Result {
        let (event, arguments) = split(event);
        self.socket.emit(&event, arguments).await.context(self.name)
    }

    /// Writes into what is shown of this client's wire what another one does.
    pub(super) fn note(&mut self, text: &str) {
        self.socket.engine().websocket().connection().note(text);
    }

    /// Emits an event, which is noted for these: what they hear, or fail to hear, comes
    /// of it.
    pub(super) async fn emit_before(
        &mut self,
        listeners: &mut [&mut Self],
        event: Value,
    ) -> Result {
        for listener in listeners {
            listener.note(&format!("{} emits {event}", self.name));
        }
        self.emit(event).await
    }

    /// Emits an event, and returns what the ack says.
    pub(super) async fn call(&mut self, event: Value) -> Result<Value> {
        let (event, arguments) = split(event);
        let ack = self.socket.emit_with_ack(&event, arguments).await;
        let mut ack = ack.context(format_args!("{}, `{event}`", self.name))?;
        Ok(ack[0].take())
    }

    /// Emits an event whose ack says this.
    pub(super) async fn expect_ack(&mut self, event: Value, ack: Value) -> Result {
        let what = format!("the ack of {event}");
        let got = self.call(event).await?;
        match got == ack {
            true => Ok(()),
            false => Err(self.expected(&what, &ack.to_string(), &got)),
        }
    }

    /// A failure that shows this client's side of the wire.
    pub(super) fn failure(&mut self, message: &str) -> Failure {
        let engine = self.socket.engine();
        let wire = engine.websocket().connection().transcript();
        Failure::new(message).with(wire)
    }

    /// The same, where something else was expected.
    pub(super) fn expected(
        &mut self,
        what: &str,
        expected: &str,
        got: &Value,
    ) -> Failure {
        let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
        let engine = self.socket.engine();
        let wire = engine.websocket().connection().transcript();
        let failure = Failure::expected(what, &expected, &got).with(wire);
        failure.context(self.name)
    }

    /// A failure: this event was expected, and that one came.
    pub(super) fn unexpected(&mut self, expected: &Value, got: &Value) -> Failure {
        let failure = self.expected("event", &expected.to_string(), got);
        match has_another_id(expected, got) {
            false => failure,
            true => failure.help(
                "there is another id than the public one. `socket.id` is public in \
                 Node, and here it is the id of the session, a secret. The public \
                 one is `UserId::of(&socket)`",
            ),
        }
    }
}

/// Whether two events are the same, but for an id.
fn has_another_id(expected: &Value, got: &Value) -> bool {
    let (Value::Array(expected), Value::Array(got)) = (expected, got) else {
        return false;
    };
    let is_id = |value: &Value| value.as_str().is_some_and(|id| id.len() == 16);
    let mut differ = expected.iter().zip(got).filter(|(a, b)| a != b);
    expected.len() == got.len() && differ.all(|(a, b)| is_id(a) && is_id(b))
}

fn split(mut event: Value) -> (String, Value) {
    let all = event.as_array_mut().expect("an event is an array");
    let name = all.remove(0);
    let name = name.as_str().expect("an event has a name");
    (name.to_owned(), event)
}
