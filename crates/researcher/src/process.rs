//! A sandboxed researcher process.

use aar_sandbox::{Access, Exit, Isolation, Jail, Limits, Mount, Running, SandboxError};
use std::ffi::OsString;
use std::path::PathBuf;

/// Where `lab` lies inside.
pub const LAB_INSIDE: &str = "/opt/aar/bin/lab";

/// Where programs lie that the study lends it.
pub const PROGRAMS_INSIDE: &str = "/opt/aar/programs";

/// Exit codes of a researcher for which a new start would end in the same way: its model does not use the tools (76), or
/// refused its key (77).
const GAVE_UP: [i32; 2] = [76, 77];

/// What is needed to start one.
#[derive(Clone)]
pub struct ResearcherSpec {
    /// Its name.
    pub name: String,
    /// Its token at the server.
    pub token: String,
    /// Its private folder on the host, mounted read-write at `/work`; survives restarts.
    pub workspace: PathBuf,
    /// The testbed's `public/` folder, mounted read-only at `/data`.
    pub data: PathBuf,
    /// The folder that holds the server's socket `api.sock`, mounted at `/run/aar`.
    pub socket_dir: PathBuf,
    /// The executable that is mounted as `lab`.
    pub lab: PathBuf,
    /// Arguments of `lab`, for instance `search`.
    pub args: Vec<OsString>,
    /// More of its environment.
    pub env: Vec<(String, String)>,
    /// A folder of programs, mounted at [`PROGRAMS_INSIDE`] and on its path.
    pub programs: Option<PathBuf>,
    /// Files and folders of the host that it may read, same path inside.
    pub mounts: Vec<PathBuf>,
    /// Files that look like labels and are watched, and where it finds them.
    pub decoys: Option<Mount>,
    /// Whether it has a loopback of its own, for programs that know no unix sockets.
    pub loopback: bool,
    /// Threads its own trials may use.
    pub threads: usize,
    /// Limits of the process.
    pub limits: Limits,
}

/// Why a researcher could not be started or watched.
#[derive(Debug, thiserror::Error)]
pub enum ResearcherError {
    /// Its folder could not be made.
    #[error("create the workspace {path}: {source}")]
    Workspace {
        /// The folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// Its sandbox could not be built.
    #[error("start {name}: {source}")]
    Sandbox {
        /// The researcher.
        name: String,
        /// The cause.
        source: SandboxError,
    },
}

/// A researcher's state, as seen from outside.
#[derive(Debug)]
pub enum State {
    /// Still at work.
    Running,
    /// It said it was done (exit code 0).
    Done,
    /// It said that it can't go on and why not.
    GaveUp(String),
    /// It ended otherwise; the text says how, with the last lines it printed.
    Crashed(String),
}

/// A running researcher. Ends with its whole process tree when dropped.
pub struct Researcher {
    name: String,
    running: Option<Running>,
}

impl Researcher {
    /// Start the process.
    pub fn spawn(spec: &ResearcherSpec, isolation: &Isolation) -> Result<Self, ResearcherError> {
        std::fs::create_dir_all(&spec.workspace)
            .map_err(|source| ResearcherError::Workspace { path: spec.workspace.clone(), source })?;
        let running = jail(spec)
            .spawn(isolation)
            .map_err(|source| ResearcherError::Sandbox { name: spec.name.clone(), source })?;
        Ok(Self { name: spec.name.clone(), running: Some(running) })
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Look without waiting. After anything but `Running` the researcher is gone.
    pub fn poll(&mut self) -> Result<State, ResearcherError> {
        let name = self.name.clone();
        let failed = |source| ResearcherError::Sandbox { name: name.clone(), source };
        let Some(running) = self.running.as_mut() else {
            return Ok(State::Done);
        };
        if !running.is_finished() {
            return Ok(State::Running);
        }
        let outcome = self.running.take().map(Running::wait).transpose().map_err(failed)?;
        Ok(match outcome {
            None => State::Done,
            Some(outcome) if matches!(outcome.status, Exit::Code(0)) => State::Done,
            Some(outcome) => {
                let printed = String::from_utf8_lossy(&outcome.stderr).into_owned();
                let last: Vec<&str> = printed.lines().rev().take(5).collect();
                let last = last.into_iter().rev().collect::<Vec<&str>>().join("\n");
                match outcome.status {
                    Exit::Code(code) if GAVE_UP.contains(&code) => State::GaveUp(last),
                    status => State::Crashed(format!("{status:?}: {last}")),
                }
            }
        })
    }

    /// Stop it and everything it started where they stand, or let them go on.
    pub fn hold(&mut self, still: bool) {
        if let Some(running) = self.running.as_mut() {
            if still {
                running.freeze();
            } else {
                running.thaw();
            }
        }
    }

    /// End it and everything it started.
    pub fn stop(&mut self) {
        if let Some(mut running) = self.running.take() {
            running.kill();
            // Its account is of no more use; waiting makes sure that it is gone.
            let _ = running.wait();
        }
    }
}

impl Drop for Researcher {
    fn drop(&mut self) {
        self.stop();
    }
}

fn jail(spec: &ResearcherSpec) -> Jail {
    let mut jail = Jail {
        program: LAB_INSIDE.into(),
        args: spec.args.clone(),
        env: vec![
            ("PATH".into(), format!("/opt/aar/bin:{PROGRAMS_INSIDE}:/usr/local/bin:/usr/bin:/bin")),
            ("HOME".into(), "/work".into()),
            ("LANG".into(), "C.UTF-8".into()),
            ("AAR_API".into(), "unix:/run/aar/api.sock".into()),
            ("AAR_TOKEN".into(), spec.token.clone()),
            ("AAR_DATA".into(), "/data".into()),
            ("AAR_THREADS".into(), spec.threads.to_string()),
        ],
        mounts: vec![
            Mount { host: spec.lab.clone(), inside: LAB_INSIDE.into(), access: Access::ReadOnly },
            Mount { host: spec.data.clone(), inside: "/data".into(), access: Access::ReadOnly },
            Mount { host: spec.workspace.clone(), inside: "/work".into(), access: Access::ReadWrite },
        ],
        workdir: "/work".into(),
        socket_dir: Some(spec.socket_dir.clone()),
        limits: spec.limits.clone(),
        ..Jail::default()
    };
    jail.env.extend(spec.env.iter().cloned());
    let mount = |path: &PathBuf| Mount { host: path.clone(), inside: path.clone(), access: Access::ReadOnly };
    let lent =
        |folder: &PathBuf| Mount { host: folder.clone(), inside: PROGRAMS_INSIDE.into(), access: Access::ReadOnly };
    jail.mounts.extend(spec.programs.iter().map(lent));
    jail.mounts.extend(spec.mounts.iter().map(mount));
    jail.mounts.extend(spec.decoys.clone());
    jail.loopback = spec.loopback;
    jail.with_python(&spec.lab, spec.threads)
}

#[cfg(test)]
#[allow(clippy::print_stdout)]
mod tests {
    use super::*;

    /// A researcher that is a shell script, until it has ended.
    fn ended(script: &str) -> Option<State> {
        let isolation = Isolation::detect();
        if isolation.backend != aar_sandbox::Backend::Namespaces {
            return None;
        }
        let dir = tempfile::tempdir().unwrap();
        let spec = ResearcherSpec {
            name: "ada".into(),
            token: String::new(),
            workspace: dir.path().join("work"),
            data: dir.path().into(),
            socket_dir: dir.path().into(),
            lab: std::fs::canonicalize("/bin/sh").unwrap(),
            args: ["-c", script].map(Into::into).to_vec(),
            env: vec![],
            programs: None,
            mounts: vec![],
            decoys: None,
            loopback: false,
            threads: 1,
            limits: Limits::default(),
        };
        let mut researcher = Researcher::spawn(&spec, &isolation).unwrap();
        loop {
            match researcher.poll().unwrap() {
                State::Running => std::thread::sleep(std::time::Duration::from_millis(5)),
                state => return Some(state),
            }
        }
    }

    #[test]
    fn who_gives_up_has_not_crashed() {
        let Some(state) = ended("echo its model talks >&2; exit 76") else {
            return println!("skipped: no namespaces here");
        };
        assert!(matches!(&state, State::GaveUp(why) if why == "its model talks"), "{state:?}");
        let crashed = ended("echo out of memory >&2; exit 1");
        assert!(matches!(&crashed, Some(State::Crashed(why)) if why.ends_with("out of memory")), "{crashed:?}");
        assert!(matches!(ended("exit 0"), Some(State::Done)));
    }
}
