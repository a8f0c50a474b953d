//! When a jail ends, all of it ends.

use crate::host::{Attempt, BACKENDS, Found, Host, Mark, isolation, mark, marked, run, text, until, within};
use aar_sandbox::{Backend, Exit, Jail, Outcome};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Tell the starter, in its environment, which backend and folder to use.
const STARTER: &str = "AAR_GUARANTEE_STARTER";

pub const ALL: &[(&str, Attempt)] = &[
    ("the wall-clock limit ends the whole tree", |host, backend| {
        let (jail, mark) = family(host);
        let outcome = cut_short(host, jail, backend);
        (outcome.status == Exit::TimedOut && gone(&mark, backend)).into()
    }),
    ("what would be written after the limit is not", |host, backend| {
        // The child waits for a sign that is given after the end, so that a slow machine can't spare it.
        let jail = host.jail("(until [ -e \"$IN/sign\" ]; do sleep 0.05; done; echo x > late) & : > ready; wait");
        let outcome = cut_short(host, jail, backend);
        std::fs::write(host.path("in/sign"), "").unwrap();
        let late = within(Duration::from_millis(500), || host.path("out/late").exists());
        (outcome.status == Exit::TimedOut && !late).into()
    }),
    ("nothing outlives the program", |host, backend| {
        let mark = mark();
        let outcome = run(&host.jail(&format!("sleep {mark} & (sleep {mark} &) ; echo said; exit 4")), backend);
        ended(&outcome, &mark, backend)
    }),
    ("nothing outlives it in a session of its own", |host, backend| {
        // Shell only, by way of util-linux; and waiting must not hang although the escaped one holds the output open.
        let mark = mark();
        let script = format!(
            "setsid sh -c ': > escaped; exec sleep {mark}' & until [ -e escaped ]; do kill -0 $! || break; done; echo said; exit 4"
        );
        let outcome = run(&host.jail(&script), backend);
        ended(&outcome, &mark, backend)
    }),
    ("kill() ends the whole tree", |host, backend| {
        let (jail, mark) = family(host);
        let mut running = jail.spawn(&isolation(backend)).unwrap();
        until("the family", || host.path("out/ready").exists());
        running.kill();
        let outcome = running.wait().unwrap();
        (outcome.status == Exit::Killed && gone(&mark, backend)).into()
    }),
    ("freeze() stops the whole tree, thaw() lets it go on", |host, backend| {
        // A child and a grandchild; both fork all the time, so that standing still is not easy.
        let script = "n() { while :; do echo >> $1; sleep 0.01; done; }; n a & (n b & wait) & wait";
        let mut running = host.jail(script).spawn(&isolation(backend)).unwrap();
        let counts =
            || ["a", "b"].map(|name| std::fs::metadata(host.path("out").join(name)).map_or(0, |file| file.len()));
        until("both", || counts().iter().all(|&count| count > 0));
        let frozen = running.freeze();
        let before = counts();
        std::thread::sleep(Duration::from_millis(100));
        let still = counts() == before;
        running.thaw();
        let goes_on = within(Duration::from_secs(20), || counts().iter().zip(before).all(|(&now, then)| now > then));
        running.freeze();
        running.kill();
        let status = running.wait().unwrap().status;
        (frozen && still && goes_on && status == Exit::Killed).into()
    }),
    ("dropping it ends the whole tree", |host, backend| {
        let (jail, mark) = family(host);
        let running = jail.spawn(&isolation(backend)).unwrap();
        until("the family", || host.path("out/ready").exists());
        drop(running);
        gone(&mark, backend).into()
    }),
    ("it may outlive the thread that started it", |host, backend| {
        let jail = host.jail(": > ready; until [ -e \"$IN/sign\" ]; do sleep 0.05; done; exit 6");
        let (ready, isolation) = (host.path("out/ready"), isolation(backend));
        let thread = std::thread::spawn(move || {
            let running = jail.spawn(&isolation).unwrap();
            until("the program", || ready.exists());
            running
        });
        let running = thread.join().unwrap();
        std::fs::write(host.path("in/sign"), "").unwrap();
        (running.wait().unwrap().status == Exit::Code(6)).into()
    }),
    ("nothing outlives a starter that is killed", |host, backend| {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "starter"]).stdout(Stdio::null()).stderr(Stdio::null());
        let mark = mark();
        command.env(STARTER, format!("{backend:?} {mark} {}", host.path("").display()));
        let mut starter = command.spawn().unwrap();
        until("the starter's jail", || host.path("out/ready").exists());
        starter.kill().unwrap();
        starter.wait().unwrap();
        // Nobody is left to wait for it, so it is given a while on every backend.
        gone(&mark, Backend::Landlock).into()
    }),
];

/// A program with a child and a grandchild, all marked; `ready` tells that they are there.
fn family(host: &Host) -> (Jail, Mark) {
    let mark = mark();
    (host.jail(&family_script(&mark)), mark)
}

fn family_script(mark: &dyn std::fmt::Display) -> String {
    format!("sleep {mark} & sh -c 'sleep {mark} & : > ready; wait' & wait")
}

/// Run into the wall-clock limit, but not before `ready`: on a slow machine a short limit comes too early to show anything.
fn cut_short(host: &Host, mut jail: Jail, backend: Backend) -> Outcome {
    for wall in [700, 3_000, 12_000] {
        jail.limits.wall = Duration::from_millis(wall);
        let outcome = run(&jail, backend);
        if host.path("out/ready").exists() {
            return outcome;
        }
    }
    panic!("the attempt did not take place in 12 s")
}

fn ended(outcome: &Outcome, mark: &Mark, backend: Backend) -> Found {
    assert_eq!((outcome.status, text(&outcome.stdout).as_str()), (Exit::Code(4), "said\n"));
    gone(mark, backend).into()
}

/// Whether no marked process is left, with namespaces at once. What is left is ended.
fn gone(mark: &Mark, backend: Backend) -> bool {
    assert!(mark.lives(), "waited so long that the marked may have ended by themselves");
    let time = if backend == Backend::Namespaces { Duration::ZERO } else { Duration::from_secs(8) };
    let gone = within(time, || marked(mark).is_empty());
    for id in marked(mark) {
        // SAFETY: a signal to a process that carries a mark of ours.
        unsafe { libc::kill(id, libc::SIGKILL) };
    }
    gone
}

/// Start a jail and wait to be killed.
pub fn starter() {
    let Ok(order) = std::env::var(STARTER) else { return };
    let [backend, mark, folder] = order.splitn(3, ' ').collect::<Vec<_>>().try_into().unwrap();
    let backend = BACKENDS.into_iter().find(|known| format!("{known:?}") == backend).unwrap();
    let mut jail = Host::new().jail(&family_script(&mark));
    for mount in &mut jail.mounts {
        mount.host = PathBuf::from(folder).join(mount.host.file_name().unwrap());
    }
    jail.socket_dir = None;
    jail.spawn(&isolation(backend)).unwrap().wait().unwrap();
}
