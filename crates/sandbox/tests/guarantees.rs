//! What a jail promises, judged by planted flags, on every backend that works here.
//!
//! Each guarantee is a small shell (or Python) attempt and a look at what it changed or brought out. The outcomes stand in one table.

use aar_sandbox::{Access, Backend, Exit, Isolation, Jail, Limits, Mount, Outcome};
use std::fs;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What the host holds and a jail is given.
struct Host {
    dir: tempfile::TempDir,
}

const FLAG: &str = "the-flag-that-nobody-inside-may-see";

impl Host {
    fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("guarantee-").tempdir().unwrap();
        for folder in ["in", "out", "vault", "door"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
        }
        fs::write(dir.path().join("in/data.txt"), "public").unwrap();
        fs::write(dir.path().join("vault/secret.txt"), FLAG).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn jail(&self, script: &str) -> Jail {
        let mount = |name: &str, inside: &str, access| Mount { host: self.path(name), inside: inside.into(), access };
        Jail {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: vec![
                ("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into()),
                ("IN".into(), "/in".into()),
                ("OUT".into(), "/out".into()),
            ],
            mounts: vec![mount("in", "/in", Access::ReadOnly), mount("out", "/out", Access::ReadWrite)],
            workdir: "/out".into(),
            socket_dir: Some(self.path("door")),
            limits: Limits { wall: Duration::from_secs(20), ..Limits::default() },
            ..Jail::default()
        }
    }

    fn run(&self, backend: Backend, script: &str) -> Outcome {
        self.run_with(backend, script, |_| ())
    }

    fn run_with(&self, backend: Backend, script: &str, change: impl Fn(&mut Jail)) -> Outcome {
        let mut jail = self.jail(script);
        change(&mut jail);
        jail.spawn(&isolation(backend)).unwrap().wait().unwrap()
    }
}

fn isolation(backend: Backend) -> Isolation {
    let found = Isolation::detect();
    if found.backend == backend { found } else { Isolation::of(backend) }
}

fn text(outcome: &Outcome) -> String {
    format!("{}{}", String::from_utf8_lossy(&outcome.stdout), String::from_utf8_lossy(&outcome.stderr))
}

/// Python inside, for what a shell can't try.
const PYTHON: &str = "/usr/bin/python3";

type Attempt = fn(&Host, Backend) -> Option<bool>;

/// (guarantee, whether it was kept; `None` = could not be tried here).
const GUARANTEES: &[(&str, Attempt)] = &[
    ("exit code and output come back", |host, backend| {
        let outcome = host.run(backend, "echo out; echo err >&2; exit 7");
        Some(
            outcome.status == Exit::Code(7)
                && outcome.stdout == b"out\n"
                && String::from_utf8_lossy(&outcome.stderr).contains("err"),
        )
    }),
    ("what is given can be read and written", |host, backend| {
        let outcome = host.run(backend, "cat \"$IN/data.txt\" && mkdir sub && echo mine > sub/made.txt");
        let made = host.path("out/sub/made.txt");
        let kept = outcome.stdout.starts_with(b"public") && fs::read(&made).is_ok_and(|text| text == b"mine\n");
        Some(kept && fs::remove_dir_all(host.path("out/sub")).is_ok())
    }),
    ("read-only data can't be changed", |host, backend| {
        host.run(backend, "echo x > \"$IN/data.txt\"; echo x > \"$IN/new.txt\"; rm -f \"$IN/data.txt\"; true");
        Some(
            fs::read(host.path("in/data.txt")).is_ok_and(|text| text == b"public") && !host.path("in/new.txt").exists(),
        )
    }),
    ("host files beside the mounts can't be read", |host, backend| {
        let secret = host.path("vault/secret.txt");
        let outcome = host.run(backend, &format!("cat {} $IN/../vault/secret.txt; true", secret.display()));
        Some(!text(&outcome).contains(FLAG))
    }),
    ("the host's users and passwords can't be read", |host, backend| {
        let outcome = host.run(backend, "cat /etc/shadow /etc/passwd 2>/dev/null | head -c 40");
        Some(outcome.stdout.is_empty())
    }),
    ("a link left in the output shows nothing", |host, backend| {
        let outcome =
            host.run(backend, &format!("ln -s {} link; cat link; true", host.path("vault/secret.txt").display()));
        let _ = fs::remove_file(host.path("out/link"));
        Some(!text(&outcome).contains(FLAG))
    }),
    ("nothing is written beside the mounts", |host, backend| {
        let flag = host.path("vault/planted");
        host.run(backend, &format!("echo x > {}; true", flag.display()));
        Some(!flag.exists())
    }),
    ("the environment is not the host's", |host, backend| {
        let outcome = host.run(backend, "env");
        let all = text(&outcome);
        Some(!all.contains("CARGO") && all.contains("IN="))
    }),
    ("other processes' environments can't be read", |host, backend| {
        let outcome = host.run(
            backend,
            "for p in /proc/[0-9]*; do tr '\\0' '\\n' < $p/environ; done 2>/dev/null | grep -c CARGO; true",
        );
        Some(outcome.stdout.starts_with(b"0"))
    }),
    ("loopback ports can't be reached", |host, backend| {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        python(
            host,
            backend,
            &format!("import socket; socket.create_connection(('127.0.0.1', {port}), 2); print('IN')"),
        )
        .map(|seen| !seen.contains("IN"))
    }),
    ("abstract sockets can't be reached", |host, backend| {
        use std::os::linux::net::SocketAddrExt;
        let name = format!("aar-guarantee-{}-{backend:?}", std::process::id());
        let address = std::os::unix::net::SocketAddr::from_abstract_name(&name).unwrap();
        let _listener = UnixListener::bind_addr(&address).unwrap();
        python(
            host,
            backend,
            &format!("import socket; s = socket.socket(socket.AF_UNIX); s.connect('\\0{name}'); print('IN')"),
        )
        .map(|seen| !seen.contains("IN"))
    }),
    ("the one door can be used", |host, backend| {
        let path = host.path("door/api.sock");
        let _ = fs::remove_file(&path);
        let listener = UnixListener::bind(&path).unwrap();
        open(&path, 0o666);
        open(&host.path("door"), 0o755);
        open(host.dir.path(), 0o755);
        let inside =
            if backend == Backend::Namespaces { "/run/aar/api.sock".to_owned() } else { path.display().to_string() };
        let seen = python(
            host,
            backend,
            &format!("import socket; s = socket.socket(socket.AF_UNIX); s.connect('{inside}'); print('IN')"),
        );
        drop(listener);
        seen.map(|seen| seen.contains("IN"))
    }),
    ("tracing, mounting and new namespaces are refused", |host, backend| {
        let script = "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\nok = [n for n, r in (('ptrace', c.ptrace(0, 0, 0, 0)), ('unshare', c.unshare(0x10000000)), ('mount', c.mount(b'x', b'/tmp', b'tmpfs', 0, None)), ('setns', c.setns(0, 0))) if r == 0]\nprint('GOT', ok)";
        python(host, backend, script).map(|seen| seen.contains("GOT []"))
    }),
    ("a hang ends at the wall-clock limit", |host, backend| {
        let outcome = host.run_with(backend, "sleep 600", |jail| jail.limits.wall = Duration::from_millis(700));
        Some(outcome.status == Exit::TimedOut)
    }),
    ("nothing outlives its end", |host, backend| {
        let flag = host.path("out/late");
        host.run(backend, "(sleep 1; echo x > late) >/dev/null 2>&1 & exit 0");
        std::thread::sleep(Duration::from_millis(1600));
        Some(!flag.exists())
    }),
    ("CPU time is limited", |host, backend| {
        let outcome = host.run_with(backend, "while :; do :; done", |jail| jail.limits.cpu = Duration::from_secs(1));
        Some(outcome.status != Exit::Code(0) && outcome.status != Exit::TimedOut)
    }),
    ("memory is limited", |host, backend| {
        let script = "x = bytearray(3 << 30); print('GOT')";
        python_with(host, backend, script, |jail| jail.limits.memory_bytes = 1 << 30).map(|seen| !seen.contains("GOT"))
    }),
    ("processes are limited", |host, backend| {
        let script = "import os, time\nn = 0\ntry:\n  for _ in range(400):\n    if os.fork() == 0:\n      time.sleep(3); os._exit(0)\n    n += 1\nexcept OSError:\n  pass\nprint('FORKED', n, flush=True)\nos._exit(0)";
        let seen = python_with(host, backend, script, |jail| jail.limits.processes = 40)?;
        let count: usize = seen.split("FORKED ").nth(1)?.split_whitespace().next()?.parse().ok()?;
        Some(count < 60)
    }),
    ("a file can't grow beyond its limit", |host, backend| {
        host.run_with(backend, "head -c 20000000 /dev/zero > big; true", |jail| jail.limits.file_bytes = 1 << 20);
        let length = fs::metadata(host.path("out/big")).map_or(0, |meta| meta.len());
        let _ = fs::remove_file(host.path("out/big"));
        Some(length <= 1 << 20)
    }),
    ("printing is cut off", |host, backend| {
        let outcome = host.run_with(backend, "head -c 5000000 /dev/zero", |jail| jail.limits.output_bytes = 10_000);
        Some(outcome.stdout.len() <= 10_000)
    }),
    ("threads and two thousand files are fine", |host, backend| {
        let script = "import threading, pathlib\nt = [threading.Thread(target=lambda: sum(range(10000))) for _ in range(8)]\n[x.start() for x in t]; [x.join() for x in t]\np = pathlib.Path('many'); p.mkdir()\n[(p / str(i)).write_text('x') for i in range(2000)]\nprint('FINE')";
        let seen = python(host, backend, script);
        let _ = fs::remove_dir_all(host.path("out/many"));
        seen.map(|seen| seen.contains("FINE"))
    }),
];

fn open(path: &Path, mode: u32) {
    use std::os::unix::fs::PermissionsExt;
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn python(host: &Host, backend: Backend, script: &str) -> Option<String> {
    python_with(host, backend, script, |_| ())
}

fn python_with(host: &Host, backend: Backend, script: &str, change: impl Fn(&mut Jail)) -> Option<String> {
    if !Path::new(PYTHON).exists() {
        return None;
    }
    let outcome = host.run_with(backend, "", |jail| {
        jail.program = PYTHON.into();
        jail.args = vec!["-c".into(), script.into()];
        change(jail);
    });
    Some(text(&outcome))
}

/// Kept, broken, or not tried, backend by backend.
#[test]
fn every_backend_keeps_what_it_promises() {
    let required = std::env::var_os("AAR_REQUIRE_ISOLATION").is_some();
    let backends = [Backend::Namespaces, Backend::Landlock, Backend::Unconfined];
    let works = backends.map(|backend| isolation(backend).works());
    assert!(works[0] || !required, "namespaces are required here and do not work: {:?}", Isolation::detect());
    if !works[0] {
        println!("skipped: no namespaces here (install bubblewrap)");
    }
    if !Path::new(PYTHON).exists() {
        println!("skipped: what needs {PYTHON} was not tried");
    }
    let mut table = String::new();
    let mut broken = Vec::new();
    for (name, attempt) in GUARANTEES {
        let mut row = format!("{name:52}");
        for (backend, works) in backends.into_iter().zip(works) {
            let kept = works.then(|| attempt(&Host::new(), backend)).flatten();
            let word = match kept {
                Some(true) => "kept",
                Some(false) => "BROKEN",
                None => "-",
            };
            row.push_str(&format!(" {word:7}"));
            if kept == Some(false) && !allowed(name, backend) {
                broken.push(format!("{name} ({backend:?})"));
            }
        }
        table.push_str(row.trim_end());
        table.push('\n');
    }
    println!("{:52} namespaces landlock unconfined\n{table}", "");
    assert!(broken.is_empty(), "broken: {broken:#?}\n{table}");
}

/// What a backend does not promise. `Namespaces` promises everything.
fn allowed(name: &str, backend: Backend) -> bool {
    let landlock = ["nothing outlives its end"];
    match backend {
        Backend::Namespaces => false,
        Backend::Landlock => landlock.contains(&name) || name.starts_with("processes"),
        Backend::Unconfined => ![
            "exit code",
            "what is given",
            "the environment",
            "a hang",
            "CPU",
            "memory",
            "a file",
            "printing",
            "threads",
            "the one door",
        ]
        .iter()
        .any(|promise| name.starts_with(promise)),
    }
}

#[test]
fn a_dropped_jail_is_ended_and_a_killed_one_says_so() {
    let backend = Isolation::detect().backend;
    let host = Host::new();
    let running = host.jail("sleep 1; echo x > late").spawn(&isolation(backend)).unwrap();
    drop(running);
    std::thread::sleep(Duration::from_millis(1500));
    assert!(!host.path("out/late").exists());
    let mut running = host.jail("sleep 600").spawn(&isolation(backend)).unwrap();
    running.kill();
    assert_eq!(running.wait().unwrap().status, Exit::Killed);
}

#[test]
fn a_missing_mount_is_an_error_that_names_it() {
    let host = Host::new();
    let mut jail = host.jail("true");
    jail.mounts[0].host = "/nowhere/at/all".into();
    let error = jail.spawn(&Isolation::detect()).err().unwrap().to_string();
    assert!(error.contains("/nowhere/at/all"), "{error}");
}
