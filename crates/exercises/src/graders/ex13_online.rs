use contract::{Explain, Program, Result};
use serde_json::{Value, json};

use super::client::{Client, Not};
use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("hello", 2, "everybody hears who is online", hello),
        check("tabs", 2, "two tabs of one person are one name", tabs).after("hello"),
        check(
            "one_tab",
            2,
            "whoever closes one of two tabs is still online",
            one_tab,
        )
        .after("tabs"),
        check("last", 2, "whoever closes the last one is not", last).after("hello"),
        check("again", 2, "whoever says `hello` again has a new name", again)
            .after("tabs"),
    ]
}

fn online(names: &[&str]) -> Value {
    json!(["online", names])
}

/// The next event, where the names are in the order of the alphabet.
async fn next(client: &mut Client) -> Result<Value> {
    let mut event = client.next().await?;
    if event[0] == "online"
        && let Some(names) = event[1].as_array_mut()
    {
        names.sort_by_key(Value::to_string);
    }
    Ok(event)
}

/// The next event is a list of these names.
async fn hears(client: &mut Client, names: &[&str]) -> Result {
    let event = next(client).await?;
    match event == online(names) {
        true => Ok(()),
        false => Err(client.expected("event", &online(names).to_string(), &event)),
    }
}

/// The next event is a list of these names, and not something else that is known to be
/// a mistake.
async fn hears_not(
    client: &mut Client,
    nots: &[Not<'_>],
    expected: Value,
) -> Result {
    let event = next(client).await?;
    if let Some(not) = nots.iter().find(|not| not.event == event) {
        return Err(client.failure(not.mistake)).help(not.help);
    }
    match event == expected {
        true => Ok(()),
        false => Err(client.expected("event", &expected.to_string(), &event)),
    }
}

/// Says `hello`, and is told in the ack who is online.
async fn say_hello(client: &mut Client, name: &str, names: &[&str]) -> Result {
    let mut list = client.call(json!(["hello", name])).await?;
    if let Some(names) = list.as_array_mut() {
        names.sort_by_key(Value::to_string);
    }
    let expected = json!(names);
    match list == expected {
        true => Ok(()),
        false => {
            let what = format!("the ack of hello({name:?})");
            Err(client.expected(&what, &expected.to_string(), &list))
        }
    }
}

async fn hello(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut nameless = Client::enter(&server, "a client without a name").await?;
    say_hello(&mut ada, "Ada", &["Ada"]).await?;
    say_hello(&mut bob, "Bob", &["Ada", "Bob"]).await?;
    let not = [Not {
        event: online(&["Ada", "Bob"]),
        mistake: "Ada has changed the list by her `hello`, and has not heard it",
        help: "`socket.broadcast()` is everybody else, `io.broadcast()` everybody, \
               like Node's `io.emit`",
    }];
    hears_not(&mut ada, &not, online(&["Ada"])).await?;
    hears(&mut ada, &["Ada", "Bob"]).await?;
    for client in [&mut bob, &mut nameless] {
        hears(client, &["Ada"]).await?;
        hears(client, &["Ada", "Bob"]).await?;
    }
    // Whoever has no name goes without changing the list.
    let left = json!(["left", nameless.id]);
    drop(nameless);
    bob.hears(left).await
}

/// Ada with two tabs, and Bob, who has heard all this.
async fn two_tabs(server: &contract::Server) -> Result<[Client; 3]> {
    let mut ada = Client::enter(server, "Ada").await?;
    let mut bob = Client::enter(server, "Bob").await?;
    let mut tab = Client::enter(server, "Ada's second tab").await?;
    say_hello(&mut ada, "Ada", &["Ada"]).await?;
    say_hello(&mut bob, "Bob", &["Ada", "Bob"]).await?;
    hears(&mut bob, &["Ada"]).await?;
    hears(&mut bob, &["Ada", "Bob"]).await?;
    tab.call(json!(["hello", "Ada"])).await?;
    Ok([ada, tab, bob])
}

async fn tabs(program: &Program) -> Result {
    let server = program.start().await?;
    let [_ada, mut tab, mut bob] = two_tabs(&server).await?;
    let mut cy = Client::enter(&server, "Cy").await?;
    cy.call(json!(["hello", "Cy"])).await?;
    let nots = [
        Not {
            event: online(&["Ada", "Bob"]),
            mistake: "a second tab of Ada's has changed nothing, and Bob has been \
                      sent the same list again",
            help: "compare the list after the change with the one before",
        },
        Not {
            event: online(&["Ada", "Ada", "Bob"]),
            mistake: "Ada has two tabs, and is in the list twice",
            help: "names are a set: a `BTreeSet` or a `HashSet`",
        },
    ];
    hears_not(&mut bob, &nots, online(&["Ada", "Bob", "Cy"])).await?;
    say_hello(&mut tab, "Ada", &["Ada", "Bob", "Cy"]).await
}

async fn one_tab(program: &Program) -> Result {
    let server = program.start().await?;
    let [ada, tab, mut bob] = two_tabs(&server).await?;
    let left = json!(["left", tab.id]);
    drop(tab);
    let not = [Not {
        event: online(&["Bob"]),
        mistake: "Ada has closed one of her two tabs, and is not in the list any \
                  more",
        help: "the server has to know which *connections* have a name: a map from \
               `UserId` to name, and the list is made of its values",
    }];
    hears_not(&mut bob, &not, left).await?;
    let mut cy = Client::enter(&server, "Cy").await?;
    say_hello(&mut cy, "Cy", &["Ada", "Bob", "Cy"]).await?;
    hears(&mut bob, &["Ada", "Bob", "Cy"]).await?;

    let left = json!(["left", ada.id]);
    drop(ada);
    let not = [Not {
        event: left.clone(),
        mistake: "Ada has closed both of her tabs, and Bob has not heard a list \
                  without her",
        help: "the name goes with the last connection that has it",
    }];
    hears_not(&mut bob, &not, online(&["Bob", "Cy"])).await?;
    bob.hears(left).await
}

async fn last(program: &Program) -> Result {
    let server = program.start().await?;
    let mut ada = Client::enter(&server, "Ada").await?;
    let mut bob = Client::enter(&server, "Bob").await?;
    let mut cy = Client::enter(&server, "Cy").await?;
    say_hello(&mut ada, "Ada", &["Ada"]).await?;
    say_hello(&mut bob, "Bob", &["Ada", "Bob"]).await?;
    say_hello(&mut cy, "Cy", &["Ada", "Bob", "Cy"]).await?;
    for names in [&["Ada"][..], &["Ada", "Bob"], &["Ada", "Bob", "Cy"]] {
        hears(&mut bob, names).await?;
    }
    let mut lefts = [&ada, &cy].map(|client| json!(["left", client.id])).into_iter();
    let not = |left: &Value| {
        [Not {
            event: left.clone(),
            mistake: "a client is gone, and Bob has not heard a list without its name",
            help: "`gone` runs for each client that leaves, however it does: there \
                   the name has to go as well, before `left` is sent",
        }]
    };
    // One connection ends without a word, the other one says so.
    drop(ada);
    let left = lefts.next().expect("there are two");
    hears_not(&mut bob, &not(&left), online(&["Bob", "Cy"])).await?;
    bob.hears(left).await?;
    let _dan = Client::enter(&server, "Dan").await?;
    cy.socket.disconnect().await?;
    let left = lefts.next().expect("there are two");
    hears_not(&mut bob, &not(&left), online(&["Bob"])).await?;
    bob.hears(left).await?;
    say_hello(&mut bob, "Bob", &["Bob"]).await
}

async fn again(program: &Program) -> Result {
    let server = program.start().await?;
    let [mut ada, mut tab, mut bob] = two_tabs(&server).await?;
    let help = "a map from `UserId` to name has one name for each client: `insert` \
                replaces the old one. The list is sent once, after that";
    tab.call(json!(["hello", "Adele"])).await?;
    ada.call(json!(["hello", "Adele"])).await?;
    // Of the second tab, which was Ada too.
    hears(&mut bob, &["Ada", "Adele", "Bob"]).await.help(help)?;
    hears(&mut bob, &["Adele", "Bob"]).await.help(help)?;
    say_hello(&mut bob, "Rob", &["Adele", "Rob"]).await?;
    let nots = [Not {
        event: online(&["Adele"]),
        mistake: "Bob has a new name, and for a moment he has none: everybody hears \
                  a list without him",
        help,
    }];
    hears_not(&mut bob, &nots, online(&["Adele", "Rob"])).await
}
