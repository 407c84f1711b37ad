//! Shows what a client and a server say to each other, while they do.
//!
//! Run it: `cargo run --package wire --example tap -- 127.0.0.1:3000`, and then point
//! the client at the address that it prints. Stop it with Ctrl-C.

use std::{env, error::Error, io::IsTerminal};

use wire::{Style, Tap, Transcript};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let target = env::args()
        .nth(1)
        .ok_or("which server? 127.0.0.1:3000, for example")?;
    let mut tap = Tap::start(target.parse()?).await?;
    println!("listening on http://{}", tap.addr());

    let no_colour = env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let style = Style {
        colour: std::io::stdout().is_terminal() && !no_colour,
        connections: true,
        times: true,
    };
    while let Some(record) = tap.next().await {
        let line: Transcript = [record].into_iter().collect();
        print!("{}", line.text(style));
    }
    Ok(())
}
