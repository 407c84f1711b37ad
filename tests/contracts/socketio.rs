//! What every lesson with Socket.IO promises, whatever its events are: the page, the client
//! that the page loads, sessions on both transports, how each kind of nonsense is refused,
//! and an end that nobody holds up. The file that includes this module says which lesson
//! is meant, with its `lesson()`.

use std::collections::VecDeque;

use contract::{
    Connection, EngineIo, Frame, Opcode, Peer, Request, Response, Result, Server,
    Signal, peer,
};
use serde_json::{Value, json};

use super::lesson;

/// A client on HTTP long-polling (Engine.IO 4, "HTTP long-polling"): a GET waits for what
/// the server has to say, a POST says something.
pub(crate) struct Polling {
    /// Each request waits for its answer, so one connection will do.
    pub(crate) connection: Connection,
    /// The path of its session.
    pub(crate) path: String,
    /// What the server has said in the handshake.
    pub(crate) handshake: Value,
    unread: VecDeque<String>,
}

/// Where a session on long-polling begins.
const POLLING: &str = "/socket.io/?EIO=4&transport=polling";

/// Between the packets of one body.
const SEPARATOR: char = '\x1e';

impl Polling {
    /// Opens a session, which is in no namespace yet.
    pub(crate) async fn open(server: &Server) -> Result<Self> {
        let mut connection = server.connect().await?;
        let open = connection.request(&Request::get(POLLING)).await?;
        open.expect_status(200)?
            .expect_header("content-type", "text/plain; charset=UTF-8")?;
        let text = open.text();
        let json = text.strip_prefix('0').unwrap_or_default();
        let handshake: Value = serde_json::from_str(json)?;
        let sid = handshake["sid"].as_str().unwrap_or_default();
        Ok(Self {
            path: format!("{POLLING}&sid={sid}"),
            handshake,
            connection,
            unread: VecDeque::new(),
        })
    }

    /// Opens a session and connects it to the namespace `/`.
    pub(crate) async fn connect(server: &Server) -> Result<Self> {
        let mut client = Self::open(server).await?;
        client.send(&["40"]).await?;
        let answer = client.receive().await?;
        assert!(answer.starts_with(r#"40{"sid":"#), "{answer}");
        Ok(client)
    }

    /// Sends packets in one request.
    pub(crate) async fn send(&mut self, packets: &[&str]) -> Result {
        let body = packets.join(&SEPARATOR.to_string());
        let post = Request::new("POST", &self.path)
            .header("content-type", "text/plain;charset=UTF-8")
            .body(body);
        let response = self.connection.request(&post).await?;
        response.expect_status(200)?.expect_body("ok")?;
        Ok(())
    }

    /// Begins to wait for the next packets.
    pub(crate) async fn ask(&mut self) -> Result {
        let get = Request::get(&self.path).to_bytes(self.connection.host());
        self.connection.send(get).await
    }

    /// The next packet. Pings are answered.
    pub(crate) async fn receive(&mut self) -> Result<String> {
        loop {
            while let Some(packet) = self.unread.pop_front() {
                if packet != "2" {
                    return Ok(packet);
                }
                self.send(&["3"]).await?;
            }
            self.ask().await?;
            let response = self.connection.response().await?;
            response.expect_status(200)?;
            let text = response.text();
            self.unread
                .extend(text.split(SEPARATOR).map(ToOwned::to_owned));
        }
    }
}

/// Fails unless an Engine.IO request was refused for this reason.
fn expect_refused(response: &Response, code: u8, message: &str) -> Result {
    response
        .expect_status(400)?
        .expect_header("content-type", "application/json")?;
    let code = match peer() {
        // socketioxide has it in quotation marks.
        Peer::Rust => json!(code.to_string()),
        Peer::Node => json!(code),
    };
    response.expect_json(&json!({"code": code, "message": message}))?;
    Ok(())
}

/// A session whose first ping is over. socketioxide sends it at once, which could be
/// before or after anything else; Node waits for 25 seconds.
pub(crate) async fn after_the_first_ping(server: &Server) -> Result<EngineIo> {
    let mut engine = server.engineio().await?;
    if peer() == Peer::Rust {
        engine.answer_pings(false);
        engine.expect("2").await?;
        engine.send("3").await?;
        engine.answer_pings(true);
    }
    Ok(engine)
}

#[tokio::test]
async fn there_is_a_page_with_its_files_and_nothing_else() -> Result {
    let server = lesson().start().await?;
    for (path, content_type) in [
        ("/", "text/html; charset=utf-8"),
        ("/style.css", "text/css; charset=utf-8"),
        ("/page.js", "text/javascript; charset=utf-8"),
    ] {
        let response = server.request(Request::get(path)).await?;
        response
            .expect_status(200)?
            .expect_header("content-type", content_type)?;
    }
    for path in ["/nothing", "//", "/socket.iox/", "/socket.io.js"] {
        let response = server.request(Request::get(path)).await?;
        response.expect_status(404)?;
    }
    Ok(())
}

#[tokio::test]
async fn the_page_loads_a_client_that_is_there() -> Result {
    let server = lesson().start().await?;
    let page = server.request(Request::get("/")).await?.text();
    let script = r#"<script src="/socket.io/socket.io.js"></script>"#;
    assert!(page.contains(script), "{script} is missing");
    let get = Request::get("/socket.io/socket.io.js");
    let client = server.request(get).await?;
    client
        .expect_status(200)?
        .expect_header("content-type", "application/javascript; charset=utf-8")?
        .expect_header("cache-control", "public, max-age=0")?;
    assert!(!client.text().is_empty());
    let head = Request::new("HEAD", "/socket.io/socket.io.js");
    let head = server.request(head).await?;
    head.expect_status(200)?.expect_body("")?;
    Ok(())
}

#[tokio::test]
async fn the_client_is_not_sent_again_to_who_has_it() -> Result {
    let server = lesson().start().await?;
    let get = || Request::get("/socket.io/socket.io.js");
    let client = server.request(get()).await?;
    let etag = client.header("etag").expect("it has a version");
    for known in [etag.to_owned(), format!("W/{etag}")] {
        let known = get().header("if-none-match", &known);
        let response = server.request(known).await?;
        response.expect_status(304)?.expect_body("")?;
    }
    let other = get().header("if-none-match", "\"0.0.0\"");
    server.request(other).await?.expect_status(200)?;
    let gzip = get().header("accept-encoding", "gzip");
    let gzip = server.request(gzip).await?;
    gzip.expect_status(200)?
        .expect_header("content-encoding", "gzip")?
        .expect_header("etag", etag)?;
    Ok(())
}

#[tokio::test]
async fn a_session_begins_with_its_terms() -> Result {
    let server = lesson().start().await?;
    let websocket = server.engineio().await?.handshake().clone();
    let polling = Polling::open(&server).await?.handshake;
    assert_ne!(websocket["sid"], polling["sid"]);
    for (terms, upgrades) in
        [(websocket, json!([])), (polling, json!(["websocket"]))]
    {
        let sid = terms["sid"].as_str().unwrap_or_default();
        assert!(sid.len() >= 16, "{sid:?} can be guessed");
        assert_eq!(terms["upgrades"], upgrades);
        for number in ["pingInterval", "pingTimeout", "maxPayload"] {
            assert!(terms[number].as_u64() > Some(0), "{number} in {terms}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_client_can_poll() -> Result {
    let server = lesson().start().await?;
    let mut client = Polling::connect(&server).await?;
    // Several packets in one body are answered in their order.
    client.send(&["40/nobody-is-here", "40/nor-here,"]).await?;
    let mut refused = Vec::new();
    while refused.len() < 2 {
        let packet = client.receive().await?;
        // There may be events of the lesson.
        refused.extend(packet.strip_prefix("44").map(ToOwned::to_owned));
    }
    let why = r#"{"message":"Invalid namespace"}"#;
    let expected = ["/nobody-is-here", "/nor-here"];
    assert_eq!(refused, expected.map(|name| format!("{name},{why}")));
    Ok(())
}

#[tokio::test]
async fn a_client_that_polls_can_change_to_a_websocket() -> Result {
    let server = lesson().start().await?;
    let client = Polling::connect(&server).await?;
    let path = client.path.replace("polling", "websocket");
    let mut socket = server.websocket(&path).await?;
    socket.send_text("2probe").await?;
    socket.expect_text("3probe").await?;
    socket.send_text("5").await?;
    socket.send_text("40/nobody-is-here").await?;
    let why = r#"44/nobody-is-here,{"message":"Invalid namespace"}"#;
    loop {
        let message = socket.receive().await?;
        match str::from_utf8(&message.payload)? {
            text if text == why => break,
            // Pings, and what else the lesson may say.
            "2" => socket.send_text("3").await?,
            text => assert!(text.starts_with("42"), "{text}"),
        }
    }
    // Polling is over for this session.
    let poll = server.request(Request::get(&client.path)).await?;
    expect_refused(&poll, 3, "Bad request")
}

#[tokio::test]
async fn what_opens_no_session_is_refused() -> Result {
    let server = lesson().start().await?;
    let get = Request::get;
    let post = |path| Request::new("POST", path);
    for (request, code, message) in [
        (get("/socket.io/"), 0, "Transport unknown"),
        (get("/socket.io/nothing.js"), 0, "Transport unknown"),
        (
            get("/socket.io/?EIO=4&transport=pigeon"),
            0,
            "Transport unknown",
        ),
        (
            get("/socket.io/?EIO=4&transport=polling&sid=abc"),
            1,
            "Session ID unknown",
        ),
        (
            post("/socket.io/?EIO=4&transport=polling&sid=AAAAAAAAAAAAAAAA"),
            1,
            "Session ID unknown",
        ),
        (post(POLLING), 2, "Bad handshake method"),
        (
            get("/socket.io/?EIO=3&transport=polling"),
            5,
            "Unsupported protocol version",
        ),
    ] {
        let response = server.request(request).await?;
        expect_refused(&response, code, message)?;
    }
    Ok(())
}

/// socketioxide pings at once, and then at the interval. Node waits for 25 seconds first.
#[tokio::test]
async fn the_first_ping_is_where_the_two_differ() -> Result {
    let server = lesson().start().await?;
    let mut engine = server.engineio().await?;
    if peer() == Peer::Rust {
        engine.answer_pings(false);
        engine.expect("2").await?;
        engine.send("3").await?;
    }
    engine.of("/").expect_nothing().await
}

#[tokio::test]
async fn an_unknown_namespace_is_an_error_and_the_connection_goes_on() -> Result {
    let server = lesson().start().await?;
    let mut engine = server.engineio().await?;
    for unknown in ["/nobody-is-here", "/no/body", "//", "/하늘"] {
        let error = engine.of(unknown).connect_error(Value::Null).await?;
        assert_eq!(error, json!({"message": "Invalid namespace"}));
    }
    engine.of("/").connect(Value::Null).await?;
    Ok(())
}

/// What the server says to this client until it hangs up.
pub(crate) async fn last_words(engine: &mut EngineIo) -> Result<Vec<String>> {
    let mut texts = Vec::new();
    loop {
        let frame = engine.websocket().receive().await?;
        match frame.opcode {
            Opcode::Text => texts.push(String::from_utf8(frame.payload)?),
            Opcode::Close => break,
            _ => {}
        }
    }
    // `ws` waits for the answer to its close. socketioxide may be gone by now.
    let close = Frame::new(Opcode::Close, "");
    let _ = engine.websocket().send(close).await;
    Ok(texts)
}

#[tokio::test]
async fn whoever_sends_nonsense_is_cut_off_alone() -> Result {
    let server = lesson().start().await?;
    let mut other = server.engineio().await?;
    other.of("/").connect(Value::Null).await?;
    for nonsense in ["x", "4", "47", "42{}", "450-[]"] {
        let mut engine = server.engineio().await?;
        engine.of("/").connect(Value::Null).await?;
        engine.send(nonsense).await?;
        last_words(&mut engine).await?;
    }
    let mut nowhere = other.of("/nobody-is-here");
    nowhere.connect_error(Value::Null).await?;
    let mut newcomer = server.engineio().await?;
    newcomer.of("/").connect(Value::Null).await?;
    Ok(())
}

/// And each of them may come back: `41` would tell a client to stay away.
#[tokio::test]
#[cfg_attr(windows, ignore = "needs a system with signals")]
async fn clients_do_not_hold_up_the_end() -> Result {
    let server = lesson().start().await?;
    let mut engine = server.engineio().await?;
    engine.of("/").connect(Value::Null).await?;
    let mut polling = Polling::connect(&server).await?;
    polling.ask().await?;
    let mut deaf = server.engineio().await?;
    deaf.of("/").connect(Value::Null).await?;
    server.signal(Signal::Terminate)?;
    let heard = last_words(&mut engine).await?;
    assert!(!heard.contains(&"41".to_owned()), "{heard:?}");
    server.exit().await?.expect_clean()?;
    // Its last request was answered, or is over with the server.
    if let Ok(response) = polling.connection.response().await {
        let heard = response.text();
        assert!(!heard.split(SEPARATOR).any(|text| text == "41"), "{heard}");
    }
    Ok(())
}
