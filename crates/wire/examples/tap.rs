//! Shows what a client and a server say to each other, while they do.
//!
//! Run it: `cargo run --package wire --example tap -- localhost:3000`, and then point
//! the client at the address that it prints. Stop it with Ctrl-C.

use std::{
    env,
    error::Error,
    io::{self, IsTerminal, Write},
    net::SocketAddr,
};

use tokio::net;
use wire::{Style, Tap, Transcript};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let target = env::args().nth(1);
    let target = target.ok_or("which server? localhost:3000, for example")?;
    let addresses = net::lookup_host(target).await?;
    // localhost may have two, of which the lessons listen on this one.
    let target = addresses.min_by_key(SocketAddr::is_ipv6);
    let mut tap = Tap::start(target.ok_or("this name has no address")?).await?;
    println!("listening on http://{}", tap.addr());

    let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let style = Style {
        colour: io::stdout().is_terminal() && !no_colour,
        connections: true,
        times: true,
    };
    while let Some(record) = tap.next().await {
        let connection = record.connection;
        let mut line: Transcript = [record].into_iter().collect();
        // As wide for the first as for the hundredth.
        line.name(connection, format!("{:4}", format!("#{connection}")));
        // Whoever reads this, `head` for example, may have had enough.
        if write!(io::stdout(), "{}", line.text(style)).is_err() {
            break;
        }
    }
    Ok(())
}
