//! Other processes, the network, the kernel.

use crate::host::{Attempt, FLAG, Found, Host, isolation, mark, marked, open, text, until, within};
use aar_sandbox::{Backend, Running, SandboxError};
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};
use std::path::Path;
use std::time::Duration;

pub const ALL: &[(&str, Attempt)] = &[
    ("the environment is what was given", |host, backend| {
        assert!(std::env::vars().count() > 0, "the host has an environment");
        let seen = host.shell(backend, "env");
        // What shells set themselves.
        let own = ["PATH=", "IN=", "OUT=", "PWD=", "OLDPWD=", "SHLVL=", "_=", "TRIED"];
        let foreign = seen.lines().find(|line| !own.iter().any(|own| line.starts_with(own)));
        (foreign.is_none() && seen.contains("IN=")).into()
    }),
    ("others' environments can't be read", |host, backend| {
        let (_victim, id) = victim(host);
        let seen = host.shell(backend, &format!("cat /proc/{id}/environ; cat /proc/[0-9]*/environ"));
        (!seen.contains(FLAG)).into()
    }),
    ("others' command lines can't be read", |host, backend| {
        let (_victim, id) = victim(host);
        // The victim's, and its starter's, which is the jail's too.
        let ours = std::fs::read_to_string("/proc/self/cmdline").unwrap();
        let ours = ours.split('\0').next().unwrap();
        let script = format!("for p in {id} {}; do tr '\\0' ' ' < /proc/$p/cmdline; done", std::process::id());
        let seen = host.shell(backend, &script);
        (!seen.contains("sleep 60.") && !seen.contains(ours)).into()
    }),
    ("others can't be ended", |host, backend| {
        let (mut victim, id) = victim(host);
        host.shell(backend, &format!("kill -9 {id}"));
        (!within(Duration::from_secs(3), || victim.is_finished())).into()
    }),
    ("loopback ports can't be reached", |host, backend| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("('127.0.0.1', {})", listener.local_addr().unwrap().port());
        refused(host.python(backend, &format!("import socket\nsocket.create_connection({address}, 5)\nprint('GOT')")))
    }),
    ("with a loopback of its own neither", |host, backend| {
        let mut jail = host.jail(":");
        jail.loopback = true;
        if backend != Backend::Namespaces {
            // Nothing would keep it to itself, so it is not given.
            return matches!(jail.spawn(&isolation(backend)), Err(SandboxError::Loopback)).into();
        }
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let script = format!(
            "import socket
mine = socket.create_server(('127.0.0.1', 0))
socket.create_connection(mine.getsockname(), 5)
print('OWN')
for address in [('127.0.0.1', {port}), ('10.0.0.1', 80), ('169.254.169.254', 80), ('1.1.1.1', 53)]:
  try:
    socket.create_connection(address, 2)
    print('GOT')
  except OSError:
    print('NOTHING')"
        );
        let Some(outcome) = host.python_outcome(backend, &script, |jail| jail.loopback = true) else {
            return Found::Untried;
        };
        let seen = text(&outcome.stdout);
        (seen.contains("OWN") && !seen.contains("GOT") && seen.matches("NOTHING").count() == 4).into()
    }),
    ("abstract sockets can't be reached", |host, backend| {
        let name = format!("aar-guarantee-{}-{backend:?}", mark());
        let _listener = UnixListener::bind_addr(&SocketAddr::from_abstract_name(&name).unwrap()).unwrap();
        refused(host.python(backend, &connect(&format!("\\0{name}"))))
    }),
    ("other unix sockets can't be reached", |host, backend| {
        let path = host.path("vault/other.sock");
        let _listener = listen(&path);
        refused(host.python(backend, &connect(&path.display().to_string())))
    }),
    ("the one door can be used", |host, backend| {
        let path = host.path("door/api.sock");
        let _listener = listen(&path);
        let inside = match backend {
            Backend::Namespaces => "/run/aar/api.sock".to_owned(),
            _ => path.display().to_string(),
        };
        host.python(backend, &connect(&inside)).map_or(Found::Untried, |seen| seen.contains("GOT").into())
    }),
    ("tracing is refused", |host, backend| {
        // PTRACE_TRACEME needs no privilege at all, so only a filter refuses it.
        refused(host.python(backend, &calls("('ptrace', 0, 0, 0, 0),")))
    }),
    ("mounting and new namespaces are refused", |host, backend| {
        // What needs a privilege is refused for the lack of it too; a user namespace needs none on most hosts, and
        // the filter's EPERM differs from what setns says to a descriptor that is no namespace.
        let calls = calls(
            "('unshare', 0x10000000), ('unshare', 0x20000), ('mount', b'x', b'/', b'tmpfs', 0, None), ('setns', 0, 0), \
             ('umount2', b'/nowhere', 0), ('chroot', b'/nowhere')",
        );
        let Some(seen) = host.python(backend, &calls) else { return Found::Untried };
        (!seen.contains("GOT") && seen.matches("REFUSED EPERM").count() == 6).into()
    }),
    ("no privileges are held", |host, backend| {
        // By capget, because not every backend has a /proc; 39 asks whether exec may bring new ones.
        let script = "import ctypes\nc = ctypes.CDLL(None)\nh = (ctypes.c_uint32 * 2)(0x20080522, 0)\n\
                      d = (ctypes.c_uint32 * 6)()\nassert c.capget(h, d) == 0\n\
                      print('GOT' if any(d) or c.prctl(39, 0, 0, 0, 0) != 1 else 'NONE')";
        refused(host.python(backend, script))
    }),
];

/// A process of the same user as the jails', with a flag in its environment and a mark among its arguments: itself
/// started without confinement, so that nothing but the attempt's own jail protects it.
fn victim(host: &Host) -> (Running, i32) {
    let mark = mark();
    let mut jail = host.jail(&format!("exec sleep {mark}"));
    jail.env.push(("FLAG".into(), FLAG.into()));
    let running = jail.spawn(&isolation(Backend::Unconfined)).unwrap();
    // One look: in the middle of its exec it has no arguments for a moment.
    let mut found = vec![];
    until("the victim", || {
        found = marked(&mark);
        found.len() == 1
    });
    (running, found[0])
}

fn listen(path: &Path) -> UnixListener {
    let listener = UnixListener::bind(path).unwrap();
    open(path, 0o666);
    listener
}

fn connect(address: &str) -> String {
    format!("import socket\nsocket.socket(socket.AF_UNIX).connect('{address}')\nprint('GOT')")
}

/// Make each call by name, and say what it answered.
fn calls(calls: &str) -> String {
    format!(
        "import ctypes, errno\nc = ctypes.CDLL(None, use_errno=True)\nfor n, *a in [{calls}]:\n  \
         r = getattr(c, n)(*a)\n  print('GOT' if r >= 0 else 'REFUSED ' + errno.errorcode[ctypes.get_errno()], n)"
    )
}

fn refused(seen: Option<String>) -> Found {
    seen.map_or(Found::Untried, |seen| (!seen.contains("GOT")).into())
}
