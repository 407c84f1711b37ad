//! `cargo measure broadcast`: lesson 07, where everybody is in the one room.

use contract::{Request, Result, Server, within};

use crate::fanout::{Client, Room};

/// The room of lesson 07.
pub(crate) struct Broadcast;

impl Room for Broadcast {
    const LESSON: &str = "07_ws_broadcast";

    async fn enter(server: &Server) -> Result<Client> {
        Client::open(server, "/").await
    }

    async fn settle(server: &Server, clients: &mut [Client]) -> Result {
        let all_there = within("room that is full", async {
            loop {
                let response = server.request(Request::get("/clients")).await?;
                let ids = response.json()?;
                if ids.as_array().is_some_and(|ids| ids.len() == clients.len()) {
                    return Ok(());
                }
            }
        });
        all_there.await?
    }

    fn say(text: &str) -> String {
        text.to_owned()
    }
}
