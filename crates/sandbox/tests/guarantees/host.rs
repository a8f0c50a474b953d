//! What the host holds, what a jail is given of it, and what is found afterwards.

use aar_sandbox::{Access, Backend, Isolation, Jail, Limits, Mount, Outcome};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// In the table's order.
pub const BACKENDS: [Backend; 3] = [Backend::Namespaces, Backend::Landlock, Backend::Unconfined];
/// Planted where no jail may see it.
pub const FLAG: &str = "the-flag-that-nobody-inside-may-see";
/// For what a shell can't try.
const PYTHON: &str = "/usr/bin/python3";

/// One guarantee on one backend.
pub type Attempt = fn(&Host, Backend) -> Found;

/// What came of an attempt.
#[derive(Clone, Copy)]
pub enum Found {
    Kept,
    Broken,
    Untried,
    /// The attempt itself did not come about.
    Failed,
}

impl Found {
    pub fn word(self) -> &'static str {
        match self {
            Found::Kept => "kept",
            Found::Broken => "broken",
            Found::Untried => "-",
            Found::Failed => "FAILED",
        }
    }
}

impl From<bool> for Found {
    fn from(kept: bool) -> Self {
        if kept { Found::Kept } else { Found::Broken }
    }
}

/// Why some guarantees can't be tried.
pub fn lack() -> Option<String> {
    (!Path::new(PYTHON).exists()).then(|| format!("what needs {PYTHON} is not tried"))
}

/// A folder that anybody may enter, so that only the jail stands between a flag and a thief.
pub struct Host {
    dir: tempfile::TempDir,
}

impl Host {
    pub fn new() -> Self {
        let host = Self { dir: tempfile::Builder::new().prefix("guarantee-").tempdir().unwrap() };
        open(host.dir.path(), 0o755);
        for folder in ["in", "out", "vault", "door"] {
            fs::create_dir(host.path(folder)).unwrap();
            open(&host.path(folder), if folder == "vault" { 0o777 } else { 0o755 });
        }
        for (file, text) in [("in/data.txt", "public"), ("vault/secret.txt", FLAG)] {
            fs::write(host.path(file), text).unwrap();
            open(&host.path(file), 0o666);
        }
        host
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// A shell with a read-only folder, a writable one where it starts, and a door.
    pub fn jail(&self, script: &str) -> Jail {
        let mount = |name: &str, inside: &str, access| Mount { host: self.path(name), inside: inside.into(), access };
        let env = [("PATH", "/usr/local/bin:/usr/bin:/bin"), ("IN", "/in"), ("OUT", "/out")];
        Jail {
            program: "/bin/sh".into(),
            args: vec!["-c".into(), script.into()],
            env: env.map(|(name, value)| (name.into(), value.into())).into(),
            mounts: vec![mount("in", "/in", Access::ReadOnly), mount("out", "/out", Access::ReadWrite)],
            workdir: "/out".into(),
            socket_dir: Some(self.path("door")),
            limits: Limits { wall: Duration::from_secs(60), ..Limits::default() },
            ..Jail::default()
        }
    }

    /// Run a script to its end, which it must reach: an attempt that never took place proves nothing.
    pub fn shell(&self, backend: Backend, script: &str) -> String {
        let outcome = run(&self.jail(&format!("{script}\necho TRIED")), backend);
        tried(&outcome)
    }

    /// Run Python, whose exceptions are refusals and are printed; `None` where there is none.
    pub fn python(&self, backend: Backend, script: &str) -> Option<String> {
        self.python_outcome(backend, script, |_| ()).map(|outcome| tried(&outcome))
    }

    pub fn python_outcome(&self, backend: Backend, script: &str, change: impl Fn(&mut Jail)) -> Option<Outcome> {
        if lack().is_some() {
            return None;
        }
        let mut jail = self.jail("");
        let body: Vec<String> = script.lines().map(|line| format!("  {line}")).collect();
        let script = format!(
            "try:\n{}\nexcept Exception as e:\n  print('REFUSED', repr(e))\nprint('TRIED', flush=True)",
            body.join("\n")
        );
        jail.program = PYTHON.into();
        jail.args = vec!["-c".into(), script.into()];
        change(&mut jail);
        Some(run(&jail, backend))
    }
}

fn tried(outcome: &Outcome) -> String {
    let printed = text(&outcome.stdout) + &text(&outcome.stderr);
    assert!(printed.contains("TRIED"), "the attempt did not take place: {:?}: {printed}", outcome.status);
    printed
}

pub fn run(jail: &Jail, backend: Backend) -> Outcome {
    jail.spawn(&isolation(backend)).unwrap().wait().unwrap()
}

/// A backend as it works here, or would have to.
pub fn isolation(backend: Backend) -> Isolation {
    static FOUND: OnceLock<Isolation> = OnceLock::new();
    let found = FOUND.get_or_init(Isolation::detect);
    if found.backend == backend { found.clone() } else { Isolation::of(backend) }
}

/// The version of the kernel's Landlock interface, 0 without.
pub fn landlock_version() -> i64 {
    // SAFETY: asks for the version only.
    let version = unsafe { libc::syscall(libc::SYS_landlock_create_ruleset, std::ptr::null::<u8>(), 0usize, 1u32) };
    version.max(0)
}

pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub fn open(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

/// An argument of `sleep` that no other process has; printed, it is that. Long, but no mistake hangs a test for ever.
pub struct Mark {
    text: String,
    made: Instant,
}

impl Mark {
    const SECONDS: u64 = 60;

    /// Whether a sleeper can't have ended by itself yet.
    pub fn lives(&self) -> bool {
        self.made.elapsed() < Duration::from_secs(Self::SECONDS)
    }
}

impl std::fmt::Display for Mark {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text)
    }
}

pub fn mark() -> Mark {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let (process, number) = (std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    Mark { text: format!("{}.{process:07}{number:03}", Mark::SECONDS), made: Instant::now() }
}

/// The processes, on the whole host, that have it among their arguments.
pub fn marked(mark: &Mark) -> Vec<i32> {
    let processes = fs::read_dir("/proc").unwrap().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let carries = |line: Vec<u8>| text(&line).contains(&mark.text);
    ids.filter(|id: &i32| fs::read(format!("/proc/{id}/cmdline")).is_ok_and(carries)).collect()
}

/// Wait for something that must come about; panics when it doesn't.
pub fn until(what: &str, mut come: impl FnMut() -> bool) {
    assert!(within(Duration::from_secs(60), &mut come), "waited in vain for {what}");
}

/// Whether something comes about in time.
pub fn within(time: Duration, mut come: impl FnMut() -> bool) -> bool {
    let started = Instant::now();
    while !come() {
        if started.elapsed() > time {
            return false;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    true
}
