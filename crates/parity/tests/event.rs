//! Events keep their order, and each is answered.

use std::sync::{Arc, Mutex, mpsc::channel};

use parity::{Ack, Args, NOTHING, Value as Any};
use serde_json::{Value, json};
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef, TryData},
};
use tokio::sync::mpsc;

mod support;
use support::{Client, serve, start};

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn socketioxide_alone_lets_an_event_overtake_another() {
    let (address, io) = start().await;
    let (overtaken, overtake) = channel();
    let overtake = Arc::new(Mutex::new(overtake));
    io.ns("/", async move |socket: SocketRef| {
        socket.on(
            "n",
            async move |socket: SocketRef, Data(n): Data<u32>, ack: AckSender| {
                if n == 0 {
                    // Busy until the next event has been handled.
                    let overtake = overtake.lock().expect("nobody has panicked");
                    overtake.recv().expect("the next event sends it");
                }
                socket.emit("n", &n).ok();
                ack.send("done").ok();
                overtaken.send(()).ok();
            },
        );
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    client.emit("n", json!([0])).await;
    client.emit("n", json!([1])).await;
    assert_eq!(client.event().await.args, [1]);
    assert_eq!(client.event().await.args, [0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_thousand_events_in_a_row_keep_their_order() {
    let (address, io) = start().await;
    let (heard, mut hear) = mpsc::unbounded_channel();
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            parity::on(&socket, "n", async move |Data(n): Data<u32>| {
                heard.send(n).expect("the test listens");
            });
        }),
    );
    let mut client = Client::connect(address).await;
    for n in 0..2000 {
        client.feed("n", &json!([n])).await;
    }
    client.flush().await;
    for n in 0..2000 {
        assert_eq!(support::soon(hear.recv()).await, Some(n));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_the_handlers_emit_keeps_the_order_too() {
    // There is room for all, so that no handler has to wait.
    let builder = SocketIo::builder().max_buffer_size(8192);
    let (layer, io) = builder.build_layer();
    let address = serve(layer).await;
    io.ns("/second", async || {});
    let (all_sent, wait) = channel();
    let wait = Arc::new(Mutex::new(wait));
    io.ns(
        "/",
        parity::connection(async move |socket: SocketRef| {
            parity::on(
                &socket,
                "n",
                async |socket: SocketRef, Data(n): Data<u32>| {
                    for part in 0..=n % 3 {
                        parity::emit(&socket, "n", &(n, part)).await.ok();
                    }
                },
            );
            // Tokio makes a task that has much to do wait for others now and then, so let
            // all events be there at once.
            let wait = wait.lock().expect("nobody has panicked");
            wait.recv().expect("the test sends it");
        }),
    );
    let mut client = Client::connect(address).await;
    for n in 0..1000 {
        client.feed("n", &json!([n])).await;
    }
    client.flush().await;
    // The server reads in order: when it has answered this, it has read the events.
    client.send("40/second,").await;
    assert!(client.receive().await.starts_with("40/second,"));
    all_sent.send(()).expect("the handler waits for it");
    for n in 0..1000 {
        for part in 0..=n % 3 {
            assert_eq!(client.event().await.args, [n, part]);
        }
    }
}

#[tokio::test]
async fn a_handler_that_waits_does_not_hold_up_the_next() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            let (go, wait) = tokio::sync::watch::channel(false);
            parity::on(&socket, "wait", async move |ack: Ack| {
                let mut wait = wait.clone();
                wait.wait_for(|go| *go).await.expect("it comes");
                ack.send("waited").await.ok();
            });
            let go = Arc::new(go);
            parity::on(&socket, "go", async move || {
                go.send_replace(true);
            });
        }),
    );
    let mut client = Client::connect(address).await;
    client.send(r#"427["wait"]"#).await;
    client.emit("go", json!([])).await;
    assert_eq!(client.receive().await, r#"437["waited"]"#);
}

/// In Node the server's `socket.on('error')` is also for what goes wrong.
#[tokio::test]
async fn error_is_a_name_like_any_other() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            parity::on(
                &socket,
                "error",
                async |Data(text): Data<String>, ack: Ack| {
                    ack.send(&text).await.ok();
                },
            );
        }),
    );
    let mut client = Client::connect(address).await;
    client.send(r#"427["error","mine"]"#).await;
    assert_eq!(client.receive().await, r#"437["mine"]"#);
}

#[tokio::test]
async fn a_handler_that_panics_harms_no_other() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            parity::on(&socket, "panic", async || panic!("as the test wants"));
            parity::on(&socket, "hello", async |ack: Ack| {
                ack.send("hello").await.ok();
            });
        }),
    );
    let mut client = Client::connect(address).await;
    client.emit("panic", json!([])).await;
    assert_eq!(client.call("hello", json!([])).await, json!(["hello"]));
}

#[tokio::test]
async fn socketioxide_alone_meets_a_wrong_argument_with_silence() {
    let (address, io) = start().await;
    io.ns("/", async |socket: SocketRef| {
        socket.on("n", async |socket: SocketRef, Data(n): Data<u32>| {
            socket.emit("n", &n).ok();
        });
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    client.emit("n", json!(["seven"])).await;
    client.emit("n", json!([8])).await;
    assert_eq!(client.event().await.args, [8]);
}

#[tokio::test]
async fn a_wrong_argument_is_answered() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            let handler =
                async |Data(_): Data<(String, u32)>| panic!("it cannot run");
            parity::on(&socket, "two", handler);
            parity::on(
                &socket,
                "own",
                async |TryData(args): TryData<u32>, ack: Ack| {
                    ack.send(&args.is_ok()).await.ok();
                },
            );
        }),
    );
    let mut client = Client::connect(address).await;
    for (args, why) in [
        (json!([]), "invalid length 0"),
        (json!(["a"]), "invalid length 1"),
        (
            json!(["a", "b"]),
            "invalid type: string \"b\", expected u32",
        ),
        (json!(["a", 1, 2]), "trailing characters"),
        (json!([{"a": null}, 1]), "invalid type: map"),
    ] {
        client.emit("two", args).await;
        let event = client.event().await;
        assert_eq!(event.name, "problem");
        assert_eq!(event.args[0]["event"], "two");
        let error = event.args[0]["error"].as_str().expect("text");
        assert!(error.contains(why), "{error}");
    }
    assert_eq!(client.call("own", json!(["x"])).await, json!([false]));
    assert_eq!(client.call("own", json!([7])).await, json!([true]));
}

#[tokio::test]
async fn socketioxide_alone_replaces_the_first_handler_by_the_second() {
    let (address, io) = start().await;
    io.ns("/", async |socket: SocketRef| {
        for n in 1..=2 {
            socket.on("who", async move |socket: SocketRef| {
                socket.emit("me", &n).ok();
            });
        }
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    client.emit("who", json!([])).await;
    client.emit("who", json!([])).await;
    assert_eq!(client.event().await.args, [2]);
    assert_eq!(client.event().await.args, [2]);
}

#[tokio::test]
async fn a_second_handler_is_added_to_the_first() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            for n in 1..=2 {
                parity::on(&socket, "who", async move |socket: SocketRef| {
                    socket.emit("me", &n).ok();
                });
            }
        }),
    );
    let mut client = Client::connect(address).await;
    client.emit("who", json!([])).await;
    assert_eq!(client.event().await.args, [1]);
    assert_eq!(client.event().await.args, [2]);
}

#[tokio::test]
async fn socketioxide_alone_meets_a_buffer_in_an_object_with_silence() {
    let (address, io) = start().await;
    io.ns("/", async |socket: SocketRef| {
        socket.on("any", async |socket: SocketRef, Data::<Value>(_)| {
            socket.emit("any", &()).ok();
        });
        socket.on("end", async |socket: SocketRef| {
            socket.emit("end", &()).ok();
        });
        socket.emit("ready", &()).ok();
    });
    let mut client = Client::connect(address).await;
    client.event().await;
    let any = r#"451-["any",{"file":{"_placeholder":true,"num":0}}]"#;
    client.send(any).await;
    client.send_binary(&[1, 2, 3]).await;
    client.emit("end", json!([])).await;
    assert_eq!(client.event().await.name, "end");
}

#[tokio::test]
async fn any_arguments_come_back_as_they_were() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            parity::on(
                &socket,
                "echo",
                async |socket: SocketRef, Data(args): Data<Args>, ack: Ack| {
                    parity::emit(&socket, "echo", &args).await.ok();
                    ack.send(&args).await.ok();
                },
            );
        }),
    );
    let mut client = Client::connect(address).await;
    for args in [
        json!([]),
        json!([null]),
        json!(["hello", 10, {"name": "allie"}]),
        json!([[], [1, [2, -3.5, 18_446_744_073_709_551_615_u64]], {}, true]),
        json!([{"_placeholder": "no", "é": {"b": [{}]}}]),
    ] {
        assert_eq!(client.call("echo", args.clone()).await, args);
        assert_eq!(Value::from(client.event().await.args), args);
    }
    let args = r#"["echo",{"a":{"_placeholder":true,"num":0}},{"_placeholder":true,"num":1}]"#;
    client.send(&format!("452-{args}")).await;
    client.send_binary(&[1, 2, 3]).await;
    client.send_binary(&[]).await;
    let echo = client.event().await.args;
    let placeholder = |num: u32| json!({"_placeholder": true, "num": num});
    assert_eq!(echo, [json!({"a": placeholder(0)}), placeholder(1)]);
    assert_eq!(client.attachments, [&[1, 2, 3][..], &[]]);
}

#[tokio::test]
async fn a_buffer_is_a_value() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            parity::on(&socket, "size", async |Data(any): Data<Any>, ack: Ack| {
                let Any::Object(object) = &any else { return };
                let Some(Any::Binary(file)) = object.get("file") else {
                    return;
                };
                ack.send(&file.len()).await.ok();
            });
        }),
    );
    let mut client = Client::connect(address).await;
    let size = r#"451-0["size",{"file":{"_placeholder":true,"num":0}}]"#;
    client.send(size).await;
    client.send_binary(&[1, 2, 3]).await;
    assert_eq!(client.receive().await, "430[3]");
}

#[tokio::test]
async fn an_answer_has_as_many_arguments_as_it_should() {
    let (address, io) = start().await;
    io.ns(
        "/",
        parity::connection(async |socket: SocketRef| {
            parity::on(&socket, "none", async |ack: Ack| {
                ack.send(&NOTHING).await.ok();
            });
            parity::on(&socket, "unit", async |ack: Ack| {
                ack.send(&()).await.ok();
            });
            parity::on(&socket, "array", async |ack: Ack| {
                ack.send(&vec![1, 2]).await.ok();
            });
            parity::on(&socket, "three", async |ack: Ack| {
                assert!(ack.is_wanted());
                ack.send(&("a", 2, [3])).await.ok();
            });
        }),
    );
    let mut client = Client::connect(address).await;
    assert_eq!(client.call("none", json!([])).await, json!([]));
    assert_eq!(client.call("unit", json!([])).await, json!([null]));
    assert_eq!(client.call("array", json!([])).await, json!([[1, 2]]));
    assert_eq!(client.call("three", json!([])).await, json!(["a", 2, [3]]));
}
