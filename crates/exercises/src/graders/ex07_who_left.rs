use contract::{
    Explain, Failure, Frame, Opcode, Program, Recording, Request, Result, Server,
    WebSocket,
};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("here", 2, "everyone hears who comes, the newcomer too", here),
        check("closed", 2, "everyone hears who leaves with a close frame", closed)
            .after("here"),
        check("cut", 3, "everyone hears who leaves in another way", cut)
            .after("here"),
        check("forgotten", 2, "whoever has left is not listed", forgotten)
            .after("closed"),
        check("once", 1, "everyone hears of it once", once).after("closed"),
    ]
}

/// A server, and everyone who has been let in. They share one transcript.
struct Room {
    server: Server,
    recording: Recording,
    last_id: usize,
}

impl Room {
    async fn open(program: &Program) -> Result<Self> {
        Ok(Self {
            server: program.start().await?,
            recording: Recording::new(),
            last_id: 0,
        })
    }

    /// The next client, which hears of itself, as do those who are here already.
    async fn enter(&mut self, others: &mut [WebSocket]) -> Result<WebSocket> {
        let mut newcomer = self.server.websocket("/").await?;
        self.last_id += 1;
        let id = self.last_id;
        newcomer.connection().forget(); // the handshake
        self.recording.add(id.to_string(), newcomer.connection());
        let news = format!("{id} is here");
        newcomer.expect_text(&news).await.context(&news)?;
        for other in others {
            other.expect_text(&news).await.context(&news)?;
        }
        Ok(newcomer)
    }

    async fn clients(program: &Program, count: usize) -> Result<(Self, Vec<WebSocket>)> {
        let mut room = Self::open(program).await?;
        let mut clients = Vec::new();
        for _ in 0..count {
            let newcomer = room.enter(&mut clients).await?;
            clients.push(newcomer);
        }
        Ok((room, clients))
    }

    async fn expect_ids(&self, expected: &[u64]) -> Result {
        let response = self.server.request(Request::get("/")).await?;
        response.expect_status(200)?;
        let text = response.text();
        match serde_json::from_str::<Vec<u64>>(&text) {
            Ok(ids) if ids == expected => Ok(()),
            _ => {
                let got = format_args!("{text}");
                let failure = Failure::expected("the answer to GET /", &expected, &got);
                Err(failure.with(self.recording.transcript()))
            }
        }
    }
}

async fn here(program: &Program) -> Result {
    let server = program.start().await?;
    let recording = Recording::new();
    let mut clients: Vec<WebSocket> = Vec::new();
    for id in 1..=3 {
        let mut newcomer = server.websocket("/").await?;
        newcomer.connection().forget();
        recording.add(id.to_string(), newcomer.connection());
        // If nothing else comes, its own words do.
        newcomer.send_text("hello").await?;
        clients.push(newcomer);
        for (n, client) in clients.iter_mut().enumerate() {
            let who = format!("client {}", n + 1);
            let news = format!("{id} is here");
            client.expect_text(&news).await.context(&who)?;
            let said = format!("{id}: hello");
            client.expect_text(&said).await.context(&who)?;
        }
    }
    Ok(())
}

async fn closed(program: &Program) -> Result {
    let (_room, mut clients) = Room::clients(program, 3).await?;
    let mut leaving = clients.remove(1);
    leaving.send(Frame::close(1000, "")).await?;
    for client in &mut clients {
        client.expect_text("2 has left").await?;
    }
    Ok(())
}

async fn cut(program: &Program) -> Result {
    let (mut room, mut clients) = Room::clients(program, 1).await?;
    for (id, way) in (2..).zip([
        "its connection ends without a close frame",
        "its connection ends in the middle of a message",
        "its connection is reset",
        "it breaks the rules",
    ]) {
        let mut leaving = room.enter(&mut clients).await?;
        room.recording.note(&format!("of {id}, {way}"));
        match id {
            2 => drop(leaving),
            3 => {
                let half = Frame::new(Opcode::Text, "hal").more_follows();
                leaving.send(half).await?;
                drop(leaving);
            }
            4 => leaving.into_stream().set_zero_linger()?,
            _ => leaving.send(Frame::new(Opcode::Reserved(3), "")).await?,
        }
        clients[0]
            .expect_text(&format!("{id} has left"))
            .await
            .context(format_args!("client {id} has left: {way}"))
            .help(
                "In Node, `socket.on('close', …)` is called however a socket ends. Here \
                 there are several ways out of `converse`, and `Drop` runs on all of \
                 them, even in a panic",
            )?;
    }
    Ok(())
}

async fn forgotten(program: &Program) -> Result {
    let (mut room, mut clients) = Room::clients(program, 3).await?;
    room.expect_ids(&[1, 2, 3]).await?;
    let mut leaving = clients.remove(1);
    leaving.send(Frame::close(1000, "")).await?;
    for client in &mut clients {
        client.expect_text("2 has left").await?;
    }
    room.expect_ids(&[1, 3]).await.help(
        "This is the array that never shrinks: every message goes to those who left, \
         too. Take the client out of `queues`, and then tell the others",
    )?;
    let _newcomer = room.enter(&mut []).await?;
    room.expect_ids(&[1, 3, 4]).await.context("with a newcomer")
}

async fn once(program: &Program) -> Result {
    let (_room, mut clients) = Room::clients(program, 2).await?;
    let mut leaving = clients.remove(1);
    leaving.send(Frame::close(1000, "")).await?;
    clients[0].expect_text("2 has left").await?;
    // Once it is gone, there is nothing more to be said of it.
    leaving.gone().await?;
    clients[0].send_text("anyone?").await?;
    clients[0].expect_text("1: anyone?").await.help(
        "A close frame arrives, and then the connection ends: that is one client that \
         leaves, not two",
    )
}
