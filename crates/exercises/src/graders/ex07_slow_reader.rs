use contract::{
    Connection, Explain, Failure, Frame, Opcode, Program, Request, Result, Server,
    WebSocket,
};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("room", 1, "everyone hears everyone", room),
        check("burst", 1, "20 messages at once reach everyone, in order", burst)
            .after("room"),
        check("others", 2, "nobody waits for a client that does not read", others)
            .after("burst"),
        check("forgotten", 3, "the room forgets a client that does not read", forgotten)
            .after("others"),
        check("told", 3, "it gets what has waited for it, and then 1008", told)
            .after("forgotten"),
    ]
}

/// How many messages are sent to the client that does not read, at most: 30 MiB, of
/// which the system takes a few.
const MOST: usize = 512;

/// Client 1 does not read, client 2 speaks, and client 3 listens.
struct Scene {
    server: Server,
    list: Connection,
    stalled: WebSocket,
    speaker: WebSocket,
    listener: WebSocket,
    filler: String,
    said: usize,
}

impl Scene {
    async fn open(program: &Program) -> Result<Self> {
        let server = program.start().await?;
        let mut scene = Self {
            list: server.connect().await?,
            stalled: server.websocket("/").await?,
            speaker: server.websocket("/").await?,
            listener: server.websocket("/").await?,
            filler: "x".repeat(60 * 1024),
            said: 0,
            server,
        };
        for client in [
            &mut scene.stalled,
            &mut scene.speaker,
            &mut scene.listener,
        ] {
            client.connection().record_nothing();
        }
        scene.list.record_nothing();
        Ok(scene)
    }

    fn text(&self, n: usize) -> String {
        format!("message {n} {}", self.filler)
    }

    /// The next message, heard by client 2 and 3.
    async fn say(&mut self) -> Result {
        let text = self.text(self.said);
        self.said += 1;
        self.speaker.send_text(&text).await?;
        for (client, who) in [
            (&mut self.speaker, "client 2"),
            (&mut self.listener, "client 3"),
        ] {
            client
                .expect_text(&format!("2: {text}"))
                .await
                .context(format_args!(
                    "{who}, message {} of 60 KiB, while client 1 reads nothing",
                    self.said
                ))?;
        }
        Ok(())
    }

    /// Whether client 1 is still in the room.
    async fn is_listed(&mut self) -> Result<bool> {
        let response = self.list.request(&Request::get("/")).await?;
        let text = response.text();
        match serde_json::from_str::<Vec<u64>>(&text) {
            Ok(ids) if ids.ends_with(&[2, 3]) => Ok(ids.contains(&1)),
            _ => {
                let got = format_args!("{text}");
                let what = "the answer to GET /, with client 2 and 3 in the room";
                Err(Failure::expected(what, &format_args!("[2,3]"), &got))
            }
        }
    }

    /// Client 2 speaks until client 1 has been forgotten.
    async fn say_until_forgotten(&mut self) -> Result<bool> {
        while self.said < MOST {
            self.say().await?;
            if !self.is_listed().await? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

async fn room(program: &Program) -> Result {
    let server = program.start().await?;
    let mut one = server.websocket("/").await?;
    let mut two = server.websocket("/").await?;
    two.connection().forget(); // the handshake
    two.send_text("hello").await?;
    two.expect_text("2: hello").await?;
    one.expect_text("2: hello").await
}

async fn burst(program: &Program) -> Result {
    let server = program.start().await?;
    let mut speaker = server.websocket("/").await?;
    let mut listeners =
        [server.websocket("/").await?, server.websocket("/").await?];
    // A queue that is too short, or messages that overtake, show by chance.
    for first in (0..100).step_by(20) {
        let frames: Vec<u8> = (first..first + 20)
            .flat_map(|n| Frame::new(Opcode::Text, n.to_string()).to_bytes())
            .collect();
        speaker.connection().forget();
        speaker.connection().send(frames).await?;
        heard(&mut speaker, first).await.context("client 1")?;
        for (listener, who) in listeners.iter_mut().zip(["client 2", "client 3"]) {
            listener.connection().forget();
            heard(listener, first).await.context(who)?;
        }
    }
    Ok(())
}

/// The client gets 20 numbers that client 1 has said.
async fn heard(client: &mut WebSocket, first: u32) -> Result {
    for n in first..first + 20 {
        let frame = client.receive().await?;
        if frame.payload == format!("1: {n}").as_bytes() {
            continue;
        }
        let expected = format!("text: 1: {n}");
        let expected = format_args!("{expected}");
        let failure =
            Failure::expected("message", &expected, &format_args!("{frame}"))
                .with(client.connection().transcript());
        return Err(match frame.opcode {
            Opcode::Close => failure.help(
                "20 messages came at once, and 32 may wait. A client is not slow because \
                 its task has not run yet",
            ),
            _ => failure.help(
                "`say` puts a message into all queues before it returns: what is sent by \
                 tasks of its own can overtake",
            ),
        });
    }
    Ok(())
}

async fn others(program: &Program) -> Result {
    let mut scene = Scene::open(program).await?;
    match scene.say_until_forgotten().await {
        Err(failure) if failure.timed_out() => Err(failure.help(
            "Whoever speaks waits for a queue that is full, or it holds `inside()` and \
             locks it again. `send(…).await` waits for room; `try_send` does not. A \
             guard in the head of a `for` or a `match` lives until its end",
        )),
        other => other.map(drop),
    }
}

async fn forgotten(program: &Program) -> Result {
    let mut scene = Scene::open(program).await?;
    if scene.say_until_forgotten().await? {
        return scene.say().await.context("after client 1 has been forgotten");
    }
    let said = (scene.said * scene.filler.len()) >> 20;
    let memory = match scene.server.memory() {
        Ok(memory) => format!(", and the server uses {} MiB", memory >> 20),
        // Only Linux tells.
        Err(_) => String::new(),
    };
    Err(Failure::new(format!(
        "client 1 has read nothing of {said} MiB, and is still in the room{memory}"
    )))
    .help(
        "A queue without a bound is `socket.send` with nobody looking at \
         `bufferedAmount`. And if messages are left out, the client never learns that \
         it has missed something. Take it out of `queues` when there is no room",
    )
}

async fn told(program: &Program) -> Result {
    let mut scene = Scene::open(program).await?;
    if !scene.say_until_forgotten().await? {
        return Err(Failure::new("client 1 is still in the room"));
    }
    for n in 0.. {
        let frame = scene.stalled.receive().await.context(format_args!(
            "client 1 reads again, and has got {n} messages"
        ));
        let frame = frame.help(
            "When the room has dropped a queue's sender, `recv` returns what is still \
             there, and then `None`. That is the time to say why, and to close",
        )?;
        let expected = format!("2: {}", scene.text(n));
        if frame.opcode == Opcode::Close {
            // The last one found no room.
            let queued = scene.said - 1;
            if n < queued {
                return Err(Failure::new(format!(
                    "client 1 got {n} messages and then the close, but {queued} were \
                     said while it was in the room"
                ))
                .help(
                    "What is in the queue when the room forgets a client still has to \
                     be sent: close only once `recv` returns `None`",
                ));
            }
            return closed(scene.stalled, &frame).await;
        }
        if frame.payload != expected.as_bytes() {
            let begin = |text: String| text.chars().take(24).collect::<String>();
            let expected = begin(format!("text: {expected}"));
            let got = begin(frame.to_string());
            let what = format!("what client 1 gets after {n} messages begins with");
            let (expected, got) = (format_args!("{expected}"), format_args!("{got}"));
            return Err(Failure::expected(&what, &expected, &got));
        }
    }
    unreachable!("messages do not end");
}

/// The frame has code 1008, and then the connection ends.
async fn closed(mut socket: WebSocket, frame: &Frame) -> Result {
    if frame.payload.first_chunk() != Some(&1008_u16.to_be_bytes()) {
        let expected = format_args!("close: 1008");
        let got = format_args!("{frame}");
        return Err(Failure::expected("frame", &expected, &got));
    }
    // As a browser does. A server need not wait for it.
    let _ = socket.send(Frame::close(1008, "")).await;
    socket.gone().await
}
