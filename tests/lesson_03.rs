//! The contract of lesson 03, `examples/03_axum_on_hyper`, and of its Node twin: the
//! same `serve` passes contract 02 with an app and contract 01 with a function.

#![allow(
    clippy::duplicate_mod,
    reason = "one contract, two servers to hold to it"
)]

#[path = "contracts"]
mod with_an_app {
    use contract::Lesson;

    mod app;
    mod http;
    mod program;

    fn lesson() -> Lesson {
        Lesson::new("03_axum_on_hyper")
    }
}

#[path = "contracts"]
mod with_a_function {
    use contract::Lesson;

    mod hello;
    mod http;
    mod program;

    fn lesson() -> Lesson {
        Lesson::new("03_axum_on_hyper").arg("hello")
    }
}

use contract::{Lesson, Request, Result, compare_with_the_book};

#[tokio::test]
async fn an_unknown_argument_is_refused_in_one_line() -> Result {
    let exit = Lesson::new("03_axum_on_hyper").arg("helo").run().await?;
    exit.expect_refusal("`helo`")
}

#[tokio::test]
async fn recorded_two_services() -> Result {
    for (name, lesson) in [
        ("03-function", Lesson::new("03_axum_on_hyper").arg("hello")),
        ("03-app", Lesson::new("03_axum_on_hyper")),
    ] {
        let server = lesson.start().await?;
        let mut connection = server.connect().await?;
        connection.request(&Request::get("/hello/Ada")).await?;
        compare_with_the_book(name, connection.transcript())?;
    }
    Ok(())
}
