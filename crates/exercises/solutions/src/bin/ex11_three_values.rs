//! # The ack comes last (chapter 11)
//!
//! A shop has ten apples and three pears. A client orders, and its callback is called as is
//! usual in Node: with the error first.
//!
//! ```text
//! socket.emit('order', 'apple', 3, (error, item, left) => …);  // null, 'apple', 7
//! socket.emit('order', 'apple', 99, (error) => …);             // 'only 7 left'
//! socket.emit('left', 'apple', (left) => …);                   // 7
//! ```
//!
//! - `order` takes so many of an item out of the stock, which takes a moment, and acks with
//!   three arguments: `null`, the item, and how many are left.
//! - If that cannot be done, the ack has one argument, a text that says why. The stock does
//!   not change.
//! - The same if the arguments do not fit: they are a text and an integer from 0 on, neither
//!   fewer nor more.
//! - Once the ack has come, whoever asks with `left` is told the new number. So it must not
//!   be sent before the work is done.
//! - A client may order without a callback. The work is done all the same.
//!
//! The stock and `left` are there already.
//!
//! Run it:   cargo run -p exercises --example ex11_three_values
//! Grade it: cargo course watch ex11_three_values
//! Or once:  cargo test -p exercises --test ex11_three_values

use std::{
    collections::HashMap,
    env,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use parity::Ack;
// SOLUTION
use socketioxide::{
    SocketIo,
    extract::{Data, SocketRef, State, TryData},
};
// STARTER
// use socketioxide::{
//     SocketIo,
//     extract::{Data, SocketRef, State},
// };
// END

const PAGE: &str = "\
<!doctype html><title>The ack comes last</title>
<script src=/socket.io/socket.io.js></script>
<script>
const socket = io();
const show = (...all) => document.body.append(JSON.stringify(all), '\\n');
socket.on('connect', () => socket.emit('order', 'apple', 3, show));
</script>
<body style='white-space:pre'>";

#[tokio::main]
async fn main() -> lesson_kit::Result {
    let stock = Arc::new(Stock::default());
    let (layer, io) = SocketIo::builder().with_state(stock).build_layer();
    io.ns("/", parity::connection(connected));
    lesson_kit::socketio::serve(PAGE, layer, io).await
}

async fn connected(socket: SocketRef) {
    parity::on(&socket, "order", order);
    parity::on(&socket, "left", left);
}

async fn left(State(stock): State<Arc<Stock>>, Data(item): Data<String>, ack: Ack) {
    ack.send(&stock.left(&item)).await.ok();
}

// SOLUTION
async fn order(
    State(stock): State<Arc<Stock>>,
    TryData(order): TryData<(String, u32)>,
    ack: Ack,
) {
    let taken = match order {
        Ok((item, count)) => stock.take(&item, count).await.map(|left| (item, left)),
        Err(why) => Err(why.to_string()),
    };
    match taken {
        // `()` is Node's `null`.
        Ok((item, left)) => ack.send(&((), item, left)).await.ok(),
        Err(why) => ack.send(&why).await.ok(),
    };
}
// STARTER
// // TODO: take it out of the stock, and only then ack; with `null` before the values, or
// // with a text alone if it cannot be done. For arguments that do not fit there is
// // `socketioxide::extract::TryData`.
// async fn order(State(stock): State<Arc<Stock>>, ack: Ack) {
//     let taken = stock.take("apple", 1);
//     ack.send(&"soon").await.ok();
//     taken.await.ok();
// }
// END

struct Stock {
    items: Mutex<HashMap<&'static str, u32>>,
    /// Whoever takes something holds it: one at a time, in the order in which they came.
    door: tokio::sync::Mutex<()>,
}

impl Default for Stock {
    fn default() -> Self {
        Self {
            items: Mutex::new(HashMap::from([("apple", 10), ("pear", 3)])),
            door: tokio::sync::Mutex::default(),
        }
    }
}

impl Stock {
    fn items(&self) -> MutexGuard<'_, HashMap<&'static str, u32>> {
        self.items.lock().expect("nobody panics while holding it")
    }

    /// How many there are of this item, if the shop has it.
    fn left(&self, item: &str) -> Option<u32> {
        self.items().get(item).copied()
    }

    /// Takes so many of this item, and returns how many are left. That takes a moment: as
    /// many milliseconds as `MOMENT` says.
    async fn take(&self, item: &str, count: u32) -> Result<u32, String> {
        let _door = self.door.lock().await;
        let text = env::var("MOMENT").unwrap_or_default();
        let moment = Duration::from_millis(text.parse().unwrap_or(20));
        tokio::time::sleep(moment).await;
        let mut items = self.items();
        let left = items.get_mut(item).ok_or(format!("no {item} here"))?;
        let fewer = left.checked_sub(count);
        *left = fewer.ok_or(format!("only {left} left"))?;
        Ok(*left)
    }
}
