//! The thread that starts every jail.
//!
//! A process that is to die with its parent dies with the *thread* that forked it. A caller may start a jail in a
//! thread that ends and wait for it in another; so all are forked from one thread that lasts as long as we do.

use std::process::{Child, Command};
use std::sync::OnceLock;
use std::sync::mpsc::{Sender, channel};

type Started = (Command, std::io::Result<Child>);
type Order = (Command, Sender<Started>);

static SPAWNER: OnceLock<Sender<Order>> = OnceLock::new();

/// Start a command; it is given back because it may own what the child needs.
pub(crate) fn start(command: Command) -> std::io::Result<(Command, Child)> {
    let (answer, started) = channel();
    let gone = |_| std::io::Error::other("the spawning thread is gone");
    spawner().send((command, answer)).map_err(|_| gone(()))?;
    let (command, child) = started.recv().map_err(|_| gone(()))?;
    Ok((command, child?))
}

fn spawner() -> &'static Sender<Order> {
    SPAWNER.get_or_init(|| {
        let (orders, inbox) = channel::<Order>();
        std::thread::spawn(move || {
            while let Ok((mut command, answer)) = inbox.recv() {
                let child = command.spawn();
                // Nobody waits for the answer any more: then the child is nobody's, and ends with its pipes.
                let _ = answer.send((command, child));
            }
        });
        orders
    })
}
