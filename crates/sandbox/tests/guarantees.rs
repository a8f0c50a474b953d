//! What a jail promises, judged by planted flags, on every backend that works here.
//!
//! Each guarantee is a small attempt by a jailed process and a look at what it changed or brought out. All outcomes
//! stand in one table, which must be as [`EXPECTED`] says: the cells that say `broken` are as much a part of the test,
//! because they show that the attempt succeeds where nothing stops it.
#![allow(unsafe_code)]

#[path = "guarantees/files.rs"]
mod files;
#[path = "guarantees/host.rs"]
mod host;
#[path = "guarantees/lifetime.rs"]
mod lifetime;
#[path = "guarantees/reach.rs"]
mod reach;
#[path = "guarantees/resources.rs"]
mod resources;

use aar_sandbox::{Backend, Exit, Isolation};
use host::{Attempt, BACKENDS, Found, Host, isolation, lack};
use std::process::Command;

/// `groups`: kept where there are control groups, not looked at otherwise. `since N`: kept from that version of Landlock's interface on (6 = Linux 6.12), not looked at before.
const EXPECTED: &str = "
guarantee                                             namespaces  landlock  unconfined
exit code and output come back                        kept        kept      kept
given folders can be read, written, cleared           kept        kept      kept
read-only data can't be changed                       kept        kept      broken
host files beside the mounts can't be read            kept        kept      broken
host files beside the mounts can't be written         kept        kept      broken
modes of host files can't be changed                  kept        broken    broken
the host's users can't be listed                      kept        kept      broken
a link left in the output shows nothing               kept        kept      broken
open files of the host are not inherited              kept        kept      kept
the environment is what was given                     kept        kept      kept
others' environments can't be read                    kept        kept      broken
others' command lines can't be read                   kept        kept      broken
others can't be ended                                 kept        since 6   broken
loopback ports can't be reached                       kept        kept      broken
with a loopback of its own neither                    kept        kept      kept
abstract sockets can't be reached                     kept        since 6   broken
other unix sockets can't be reached                   kept        broken    broken
the one door can be used                              kept        kept      kept
tracing is refused                                    kept        kept      broken
mounting and new namespaces are refused               kept        kept      broken
no privileges are held                                kept        kept      kept
CPU time is limited, and told as such                 kept        kept      kept
CPU time and memory are measured                      kept        kept      kept
memory is limited                                     kept        kept      kept
memory of the whole tree is limited                   groups      groups    groups
processes are limited                                 kept        groups    groups
a file can't grow beyond its limit                    kept        kept      kept
open files are limited                                kept        kept      kept
limits can't be raised                                kept        kept      kept
printing is cut off, not blocked                      kept        kept      kept
threads and a thousand files are fine                 kept        kept      kept
the wall-clock limit ends the whole tree              kept        kept      kept
what would be written after the limit is not          kept        kept      kept
nothing outlives the program                          kept        kept      kept
nothing outlives it in a session of its own           kept        kept      groups
kill() ends the whole tree                            kept        kept      kept
freeze() stops the whole tree, thaw() lets it go on   kept        kept      kept
dropping it ends the whole tree                       kept        kept      kept
it may outlive the thread that started it             kept        kept      kept
nothing outlives a starter that is killed             kept        broken    broken
";

fn guarantees() -> impl Iterator<Item = &'static (&'static str, Attempt)> {
    [files::ALL, reach::ALL, resources::ALL, lifetime::ALL].into_iter().flatten()
}

fn required() -> bool {
    std::env::var("AAR_REQUIRE_ISOLATION").is_ok_and(|value| value == "1")
}

/// The table is made by one test at a time: two at once tell less, and later.
static TABLE: std::sync::Mutex<()> = std::sync::Mutex::new(());

#[test]
fn every_backend_keeps_what_it_promises() {
    let _alone = TABLE.lock();
    let works = BACKENDS.map(|backend| isolation(backend).works());
    assert!(works[0] || !required(), "namespaces are required here and do not work: {:?}", Isolation::detect());
    for (backend, works) in BACKENDS.into_iter().zip(works) {
        if !works {
            println!("skipped: no isolation by {backend:?} here");
        }
    }
    if let Some(reason) = &aar_sandbox::cgroup::found().lack {
        println!("skipped: trees are not limited by control groups: {reason}");
    }
    if let Some(reason) = lack() {
        println!("skipped: {reason}");
    }
    let column = |(backend, works): (Backend, bool)| -> Vec<Found> {
        let cell = |attempt: Attempt| std::panic::catch_unwind(|| attempt(&Host::new(), backend));
        // An attempt that did not take place has said why; the others are looked at all the same.
        guarantees().map(|&(_, it)| if works { cell(it).unwrap_or(Found::Failed) } else { Found::Untried }).collect()
    };
    let columns = std::thread::scope(|scope| {
        let threads = BACKENDS.into_iter().zip(works).map(|cell| scope.spawn(move || column(cell)));
        threads.collect::<Vec<_>>().into_iter().map(|thread| thread.join().unwrap()).collect::<Vec<_>>()
    });
    let found: Vec<String> = guarantees()
        .enumerate()
        .map(|(i, (name, _))| line(name, [0, 1, 2].map(|column| columns[column][i].word())))
        .collect();
    println!("{}\n{}", EXPECTED.trim().lines().next().unwrap(), found.join("\n"));
    let rows: Vec<&str> = EXPECTED.trim().lines().skip(1).collect();
    assert_eq!(found.len(), rows.len(), "a row for every guarantee");
    let pairs = rows.iter().zip(&found).map(|(row, found)| (judged(row, found), found));
    let wrong: Vec<_> = pairs.filter(|(promised, found)| promised != *found).collect();
    assert!(wrong.is_empty(), "(promised, found): {wrong:#?}");
}

fn line(name: &str, cells: [&str; 3]) -> String {
    format!("{name:52}  {:10}  {:8}  {}", cells[0], cells[1], cells[2])
}

/// The expected row; a cell that could not be tried, or of which nothing is promised here, is as it was found.
fn judged(expected: &str, found: &str) -> String {
    let cells = |row: &str| [&row[54..66], &row[66..76], &row[76..]].map(|cell| cell.trim().to_owned());
    let (expected_cells, found_cells) = (cells(expected), cells(found));
    let judge = |i: usize| match (expected_cells[i].strip_prefix("since "), found_cells[i].as_str()) {
        (_, "-") => "-".to_owned(),
        (None, found) if expected_cells[i] == "groups" => {
            let groups = aar_sandbox::cgroup::found();
            if groups.memory.is_some() && groups.processes.is_some() { "kept".to_owned() } else { found.to_owned() }
        }
        (Some(since), _) if host::landlock_version() >= since.parse().unwrap() => "kept".to_owned(),
        (Some(_), found) => found.to_owned(),
        (None, _) => expected_cells[i].clone(),
    };
    let judged = [0, 1, 2].map(judge);
    line(expected[..54].trim(), [0, 1, 2].map(|i| judged[i].as_str()))
}

/// Root's jails are built another way than everybody else's; root can see to both.
#[test]
fn a_user_without_privileges_gets_the_same() {
    // SAFETY: no arguments, cannot fail.
    if unsafe { libc::geteuid() } != 0 {
        return println!("skipped: not root, so the other tests show it");
    }
    let _alone = TABLE.lock();
    let host = Host::new();
    let copy = host.path("tests");
    // By a program of its own: a copy that is still open for writing in some other test's new child can't be run.
    assert!(Command::new("cp").arg(std::env::current_exe().unwrap()).arg(&copy).status().unwrap().success());
    host::open(&copy, 0o755);
    let mut command = Command::new(&copy);
    std::os::unix::process::CommandExt::uid(&mut command, 65_534);
    std::os::unix::process::CommandExt::gid(&mut command, 65_534);
    command.args(["--exact", "every_backend_keeps_what_it_promises", "--nocapture"]).current_dir("/");
    let output = command.output().unwrap();
    // What went wrong stands at the end of both, before the table.
    let printed = host::text(&output.stderr) + &host::text(&output.stdout);
    assert!(output.status.success() && printed.contains("1 passed"), "{printed}");
}

#[test]
fn a_fork_bomb_is_bounded_and_ended() {
    if !isolation(Backend::Namespaces).works() {
        assert!(!required(), "namespaces are required here and do not work");
        return println!("skipped: no isolation by namespaces here");
    }
    let host = Host::new();
    let mark = host::mark();
    let mut jail = host.jail(&format!(": {mark}; bomb() {{ bomb | bomb & }}; bomb; while :; do :; done"));
    jail.limits.processes = 30;
    jail.limits.wall = std::time::Duration::from_secs(2);
    let mut running = jail.spawn(&isolation(Backend::Namespaces)).unwrap();
    let mut most = 0;
    while !running.is_finished() {
        most = most.max(host::marked(&mark).len());
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    // The program's shells, the first process inside and bubblewrap all carry the script in their arguments.
    assert!((2..=30 + 2).contains(&most), "{most} at once");
    assert_ne!(running.wait().unwrap().status, Exit::Code(0));
    assert_eq!(host::marked(&mark), []);
}

#[test]
fn folders_in_memory_are_bounded() {
    if !isolation(Backend::Namespaces).works() {
        assert!(!required(), "namespaces are required here and do not work");
        return println!("skipped: no isolation by namespaces here");
    }
    let host = Host::new();
    let fill = "for d in / /dev /dev/shm /run /proc /tmp; do for i in 1 2 3; do head -c 3000000 /dev/zero > $d/zz$i; done; \
                done 2>/dev/null; cat /zz* /dev/zz* /dev/shm/zz* /run/zz* /tmp/zz* 2>/dev/null | wc -c";
    let mut jail = host.jail(fill);
    jail.limits.tmp_bytes = 4 << 20;
    let printed = host::text(&jail.spawn(&isolation(Backend::Namespaces)).unwrap().wait().unwrap().stdout);
    let bytes: u64 = printed.trim().parse().unwrap();
    // Both writable folders hold something, and no more than they may.
    assert!((6_000_000..=2 * (4 << 20)).contains(&bytes), "{bytes}");
}

/// Some containers allow no new `/proc`; jails are then built without one.
#[test]
fn a_jail_without_proc_works_and_shows_no_process() {
    if !isolation(Backend::Namespaces).works() {
        assert!(!required(), "namespaces are required here and do not work");
        return println!("skipped: no isolation by namespaces here");
    }
    let without = Isolation { backend: Backend::Namespaces, own_proc: false };
    let outcome =
        Host::new().jail("cat \"$IN/data.txt\"; ls -A /proc; exit 5").spawn(&without).unwrap().wait().unwrap();
    assert_eq!((outcome.status, host::text(&outcome.stdout).as_str()), (Exit::Code(5), "public"));
}

#[test]
fn a_missing_mount_is_an_error_that_names_it() {
    for backend in BACKENDS {
        let mut jail = Host::new().jail("true");
        jail.mounts[0].host = "/nowhere/at/all".into();
        let error = jail.spawn(&isolation(backend)).err().unwrap().to_string();
        assert!(error.contains("/nowhere/at/all"), "{error}");
    }
}

/// Not a test of its own: the process that "nothing outlives a starter that is killed" kills.
#[test]
fn starter() {
    lifetime::starter();
}
