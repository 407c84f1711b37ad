use std::collections::BTreeMap;

use contract::{Explain, Failure, Program, Result};
use serde_json::{Value, json};

use super::client::Client;
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("nowhere", 1, "a room that nobody has joined is not listed", nowhere),
        check("sizes", 3, "`sizes` counts who is in each room", sizes)
            .after("nowhere"),
        check("mine", 2, "`mine` lists the others in one's own rooms", mine)
            .after("nowhere"),
        check("empty", 1, "a room that everybody has left is not listed", empty)
            .after("sizes")
            .after("mine"),
        check("names", 1, "the name of a room may be any text", names)
            .after("sizes")
            .after("mine"),
    ]
}

/// Asks for the sizes, which must be these.
async fn expect_sizes(client: &mut Client, expected: Value) -> Result {
    client.expect_ack(json!(["sizes"]), expected).await
}

/// Asks for the client's own rooms, which must be these.
async fn expect_mine(
    client: &mut Client,
    expected: &[(&str, &[&Client])],
) -> Result {
    let expected: BTreeMap<&str, Value> = expected
        .iter()
        .map(|(room, others)| {
            let ids: Vec<_> = others.iter().map(|other| other.id.as_str()).collect();
            (*room, sorted(json!(ids)))
        })
        .collect();
    let expected = json!(expected);
    let got = client.call(json!(["mine"])).await?;
    let mut in_order = got.clone();
    if let Some(rooms) = in_order.as_object_mut() {
        for ids in rooms.values_mut() {
            *ids = sorted(ids.take());
        }
    }
    match in_order == expected {
        true => Ok(()),
        false => {
            let what = r#"the ack of ["mine"]"#;
            let failure = client.expected(what, &expected.to_string(), &got);
            Err(explain(client, &expected, &in_order, failure))
        }
    }
}

/// The order of ids is nobody's business.
fn sorted(mut ids: Value) -> Value {
    if let Some(ids) = ids.as_array_mut() {
        ids.sort_by_key(Value::to_string);
    }
    ids
}

fn explain(client: &Client, expected: &Value, got: &Value, failure: Failure) -> Failure {
    let expected = expected.to_string();
    let lists = got.as_object().into_iter().flat_map(|rooms| rooms.values());
    let mut ids = lists.filter_map(Value::as_array).flatten().filter_map(Value::as_str);
    let has_own = ids.clone().any(|id| id == client.id);
    if got.get(&client.id).is_some() {
        failure.help(OWN_ROOM)
    } else if has_own {
        failure.help(
            "these are the *others*: `socket.within(room)` includes the socket \
             itself, unlike Node's `socket.in`. `socket.to(room)` does not",
        )
    } else if ids.any(|id| !expected.contains(id)) {
        failure.help(
            "nobody was welcomed with such an id: `socket.id` is that of the \
             session, a secret. The public one is `UserId::of(&socket)`",
        )
    } else {
        failure
    }
}

const OWN_ROOM: &str = "each client is alone in a room that is named after its id, in \
                        Node as here. Names that clients have chosen begin with `PREFIX`";

async fn join(client: &mut Client, rooms: &[&str]) -> Result {
    for room in rooms {
        client.expect_ack(json!(["join", room]), json!(true)).await?;
    }
    Ok(())
}

async fn nowhere(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let _bob = Client::enter(&server, "Bob").await?;
    let sizes = ada.call(json!(["sizes"])).await?;
    if sizes != json!({}) {
        let failure = ada.expected(r#"the ack of ["sizes"]"#, "{}", &sizes);
        return Err(match sizes.get(&ada.id) {
            Some(_) => failure.help(OWN_ROOM),
            None => failure,
        });
    }
    expect_mine(&mut ada, &[]).await
}

async fn sizes(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut cy = Client::enter(&server, "Cy").await?;
    join(&mut ada, &["red", "blue", "red"]).await?;
    join(&mut bob, &["red"]).await?;
    join(&mut cy, &["green"]).await?;
    let all = json!({"red": 2, "blue": 1, "green": 1});
    expect_sizes(&mut ada, all.clone()).await?;
    expect_sizes(&mut cy, all).await
}

async fn mine(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut cy = Client::enter(&server, "Cy").await?;
    join(&mut ada, &["red", "blue"]).await?;
    join(&mut bob, &["red", "green"]).await?;
    join(&mut cy, &["red"]).await?;
    expect_mine(&mut ada, &[("red", &[&bob, &cy]), ("blue", &[])]).await?;
    expect_mine(&mut bob, &[("red", &[&ada, &cy]), ("green", &[])]).await?;
    expect_mine(&mut cy, &[("red", &[&ada, &bob])]).await
}

async fn empty(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    join(&mut ada, &["red", "blue"]).await?;
    join(&mut bob, &["blue", "green"]).await?;
    let before = json!({"red": 1, "blue": 2, "green": 1});
    expect_sizes(&mut ada, before).await?;
    let left = json!(["leave", "red"]);
    ada.expect_ack(left, json!(true)).await?;
    expect_sizes(&mut ada, json!({"blue": 2, "green": 1}))
        .await
        .context("the last one has left `red`")?;
    let gone = json!(["gone", bob.id]);
    drop(bob);
    ada.hears(gone).await?;
    expect_sizes(&mut ada, json!({"blue": 1}))
        .await
        .context("Bob, who was in `blue` and `green`, is gone")?;
    expect_mine(&mut ada, &[("blue", &[])]).await
}

async fn names(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let (own, other) = (ada.id.clone(), bob.id.clone());
    let rooms = ["room:red", "red", "빨강", "", &own, &other];
    join(&mut ada, &rooms).await?;
    join(&mut bob, &["room:red", &own]).await?;
    let expected = json!({
        "room:red": 2, "red": 1, "빨강": 1, "": 1, &own: 2, &other: 1,
    });
    expect_sizes(&mut bob, expected).await.help(
        "the name is all that comes after the prefix: `strip_prefix` takes it away \
         once, `trim_start_matches` as often as it is there",
    )?;
    let expected: &[(&str, &[&Client])] = &[("room:red", &[&ada]), (&own, &[&ada])];
    expect_mine(&mut bob, expected).await
}
