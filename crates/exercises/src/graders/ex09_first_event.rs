use contract::{EngineIo, Explain, Failure, Program, Result, Server, SocketIo};
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use crate::check::{Check, check};

pub(super) fn checks() -> Vec<Check> {
    vec![
        check("greeted", 2, "who says hello at once is greeted", greeted),
        check("id", 1, "the second argument is the client's own id", id)
            .after("greeted"),
        check("welcome", 1, "`welcome` comes with the motto", welcome),
        check("problem", 1, "a hello without a name is a `problem`", problem)
            .after("greeted"),
        check("crowd", 3, "many come at once, and all are greeted", crowd)
            .after("greeted"),
    ]
}

/// A server whose database takes so many milliseconds.
async fn start(program: &Program, database: u32) -> Result<Server> {
    program.clone().env("DATABASE", database).start().await
}

/// Much longer than a hello takes. Whoever is in time does not wait for it.
const LONG: u32 = 1_000;

async fn open(server: &Server) -> Result<SocketIo<EngineIo>> {
    let mut engine = server.engineio().await?;
    // Nobody has to look at the handshakes.
    engine.websocket().connection().forget();
    Ok(engine.into_namespace("/"))
}

async fn connect(server: &Server) -> Result<(SocketIo<EngineIo>, String)> {
    let mut socket = open(server).await?;
    let id = socket.connect(Value::Null).await?;
    Ok((socket, id))
}

fn told(socket: &mut SocketIo<EngineIo>, failure: Failure) -> Failure {
    failure.with(socket.engine().websocket().connection().transcript())
}

/// Says hello at once, and returns the arguments of the answer. If none has come when two
/// more hellos are answered, said when the server had time enough to get ready, there is
/// none.
async fn say_hello(
    socket: &mut SocketIo<EngineIo>,
    name: &str,
) -> Result<Option<Value>> {
    let first = format!("Hello, {name}!");
    let mut said_later = 0;
    socket.emit("hello", json!([name])).await?;
    loop {
        let event = socket.next_event().await.help(
            "later hellos get no answer either. The handlers of `parity::on` are called \
             only if the namespace has been given `parity::connection(…)`",
        )?;
        let is_later = match event.name.as_str() {
            "welcome" => true,
            "hello" => event.arguments[0] == "Hello, Later!",
            other => {
                let what = format!("the event `{other}` came, and not `hello`");
                return Err(told(socket, Failure::new(what)));
            }
        };
        if !is_later {
            if event.arguments[0] == first {
                return Ok(Some(event.arguments));
            }
            let got = &event.arguments[0].as_str();
            let failure = Failure::expected("the greeting", &first, got);
            return Err(told(socket, failure));
        }
        if said_later == 2 {
            return Ok(None);
        }
        socket.emit("hello", json!(["Later"])).await?;
        said_later += 1;
    }
}

async fn greeted(program: &Program) -> Result {
    let server = start(program, LONG).await?;
    let (mut socket, _) = connect(&server).await?;
    if say_hello(&mut socket, "Ada").await?.is_some() {
        return Ok(());
    }
    let what = "the hello that came at once got no answer, the later ones did";
    Err(told(&mut socket, Failure::new(what))).help(
        "as in Node, an event without a handler is dropped. So register the handlers \
         before the first `.await` that has to wait, and let `parity::connection` keep \
         what comes before that",
    )
}

async fn id(program: &Program) -> Result {
    let server = start(program, LONG).await?;
    let (mut socket, id) = connect(&server).await?;
    let arguments = say_hello(&mut socket, "Ada").await?.unwrap_or_default();
    if arguments[1] == id {
        return Ok(());
    }
    let (expected, got) =
        (format_args!("{id}"), format_args!("{}", arguments[1]));
    let failure = Failure::expected("the second argument", &expected, &got);
    Err(told(&mut socket, failure)).help(
        "it is what `socket.id` is in the page: `socket.id` here as well. `UserId::of` \
         is what others may know",
    )
}

async fn welcome(program: &Program) -> Result {
    let server = start(program, 1).await?;
    let (mut socket, _) = connect(&server).await?;
    socket.expect_event("welcome", json!(["Be early"])).await?;
    Ok(())
}

async fn problem(program: &Program) -> Result {
    let server = start(program, LONG).await?;
    let (mut socket, _) = connect(&server).await?;
    // Once this has been answered, the handler is there.
    say_hello(&mut socket, "Ada").await?;
    for arguments in [json!([7]), json!([])] {
        let said = format!("hello {arguments}");
        socket.emit("hello", arguments).await?;
        // Only this one is answered by whoever passes the first over in silence.
        socket.emit("hello", json!(["Ada"])).await?;
        for expected in ["problem", "hello"] {
            let got = answer(&mut socket).await?;
            if got != expected {
                let what = format!("the answer to `{said}`");
                let failure = Failure::expected(&what, &expected, &got);
                return Err(told(&mut socket, failure)).help(
                    "a handler of `parity::on` with `Data<String>` does not run \
                     without a text, and the client is told. With `socket.on` of \
                     socketioxide nobody hears of it",
                );
            }
        }
    }
    Ok(())
}

/// The name of the next event, which is no `welcome`.
async fn answer(socket: &mut SocketIo<EngineIo>) -> Result<String> {
    loop {
        let event = socket.next_event().await?;
        if event.name != "welcome" {
            return Ok(event.name);
        }
    }
}

async fn crowd(program: &Program) -> Result {
    const CLIENTS: usize = 240;
    let server = start(program, LONG).await?;
    let mut sockets = Vec::new();
    while sockets.len() < CLIENTS {
        // In groups: who finds the listener's queue full tries again after a second.
        sockets.extend(try_join_all((0..40).map(|_| open(&server))).await?);
    }
    let greeted = sockets.iter_mut().enumerate().map(async |(n, socket)| {
        socket.connect(Value::Null).await?;
        let arguments = say_hello(socket, &format!("client {n}")).await?;
        Result::Ok(arguments.is_some())
    });
    let greeted = try_join_all(greeted).await?;
    let missed = greeted.into_iter().filter(|greeted| !greeted).count();
    if missed == 0 {
        return Ok(());
    }
    let what = format!("{missed} of {CLIENTS} clients were not greeted");
    Err(Failure::new(what)).help(
        "socketioxide tells a client that it is connected, and then starts your \
         handler. Now and then the client is faster. With `parity::connection`, what \
         it says waits for the handlers",
    )
}
