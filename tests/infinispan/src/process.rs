//! Processes that do not outlive this one.

use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::{Mutex, OnceLock, mpsc};

use rustix::process::{Signal, set_parent_process_death_signal};

type Order = (Command, mpsc::Sender<io::Result<Child>>);

/// Spawns a child that the kernel kills when this process ends in whatever way.
///
/// The kernel looks at the *thread* that spawned it; so all children come from one that lives as long as the process.
pub fn spawn_to_die_with_us(mut command: Command) -> io::Result<Child> {
    static SPAWNER: OnceLock<Mutex<mpsc::Sender<Order>>> = OnceLock::new();
    // SAFETY: between fork and exec only prctl(2) is called, which is async-signal-safe and allocates nothing.
    #[allow(unsafe_code)]
    unsafe {
        command.pre_exec(|| Ok(set_parent_process_death_signal(Some(Signal::KILL))?));
    }
    let spawner = SPAWNER.get_or_init(|| {
        let (orders, queue) = mpsc::channel::<Order>();
        std::thread::spawn(move || {
            for (mut command, answer) in queue {
                let _ = answer.send(command.spawn());
            }
        });
        Mutex::new(orders)
    });
    let (answer, spawned) = mpsc::channel();
    let sent = spawner.lock().is_ok_and(|orders| orders.send((command, answer)).is_ok());
    match spawned.recv() {
        Ok(child) if sent => child,
        _ => Err(io::Error::other("the spawning thread is gone")),
    }
}
