//! What every lesson and every twin promises as a program: where it listens, how it
//! refuses to start, how it stops. The file that includes this module says which one
//! is meant, with its `lesson()`.

use contract::{Result, Signal};
use tokio::net::{TcpListener, TcpStream};

use super::lesson;

#[tokio::test]
async fn port_0_is_any_free_port() -> Result {
    let (one, two) = (lesson().start().await?, lesson().start().await?);
    assert_ne!(one.addr().port(), two.addr().port());
    one.connect().await?;
    two.connect().await?;
    Ok(())
}

/// 127.0.0.2 is this machine too, where the system has that address. A server that
/// listens on every address takes this connection.
#[tokio::test]
async fn it_listens_on_127_0_0_1_alone() -> Result {
    let server = lesson().start().await?;
    let other = ("127.0.0.2", server.addr().port());
    assert!(
        TcpStream::connect(other).await.is_err(),
        "{other:?} is open"
    );
    Ok(())
}

#[tokio::test]
async fn a_bad_port_is_refused_in_one_line() -> Result {
    for bad in ["abc", "65536", "-1", "80 ", ""] {
        let exit = lesson().port(bad).run().await?;
        exit.expect_refusal(&format!("PORT={bad} is not a port"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_taken_port_is_refused_in_one_line() -> Result {
    let taken = TcpListener::bind("127.0.0.1:0").await?;
    let port = taken.local_addr()?.port();
    let exit = lesson().port(port).run().await?;
    exit.expect_refusal(&format!("port {port} is taken"))
}

#[tokio::test]
#[cfg_attr(windows, ignore = "needs a system with signals")]
async fn ctrl_c_and_sigterm_end_it_with_exit_code_0() -> Result {
    for signal in [Signal::Interrupt, Signal::Terminate] {
        let server = lesson().start().await?;
        let listening = format!("listening on http://{}\n", server.addr());
        let exit = server.stop(signal).await?;
        exit.expect_clean()?;
        assert_eq!(exit.stdout, listening, "the only line on stdout");
    }
    Ok(())
}

#[tokio::test]
#[cfg_attr(windows, ignore = "needs a system with signals")]
async fn an_idle_client_does_not_hold_up_the_end() -> Result {
    let server = lesson().start().await?;
    let mut silent = server.connect().await?;
    let mut kept_alive = server.connect().await?;
    kept_alive
        .request(&contract::Request::get("/"))
        .await?
        .expect_status(200)?;
    server.stop(Signal::Terminate).await?.expect_clean()?;
    silent.closed().await?;
    kept_alive.closed().await
}
