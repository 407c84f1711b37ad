//! `cargo measure rooms`: lesson 12, with everybody in one room.

use contract::{ENGINE_IO, Result, Server};

use crate::fanout::{Client, Room};

/// A room of lesson 12.
pub(crate) struct Rooms;

impl Room for Rooms {
    const LESSON: &str = "12_rooms";

    async fn enter(server: &Server) -> Result<Client> {
        let mut client = Client::open(server, ENGINE_IO).await?;
        client.send("40").await?;
        while !client.receive().await?.starts_with("40{") {}
        client.send(r#"421["join","room"]"#).await?;
        while client.receive().await? != r#"431[{"result":null}]"# {}
        Ok(client)
    }

    /// Everyone has heard of each newcomer, which comes before the answer to this.
    async fn settle(_: &Server, clients: &mut [Client]) -> Result {
        for client in clients {
            client.send(r#"422["leave","another"]"#).await?;
            while client.receive().await? != r#"432[{"result":null}]"# {}
        }
        Ok(())
    }

    fn say(text: &str) -> String {
        format!(r#"42["say","room","{text}"]"#)
    }
}
