//! How a command fails: message, hint, documented exit code (sysexits.h).

use aar_api::client::ClientError;
use aar_api::error::ErrorCode;
use aar_gateway::error::GatewayError;
use aar_server::ServerError;
use aar_study::StudyError;
use aar_worlds::WorldError;
use aar_worlds::bench::BenchError;
use aar_worlds::import::ImportError;
use aar_worlds::lint::LintError;

/// A failed command.
#[derive(Debug)]
pub struct Failure {
    /// The exit code.
    pub code: i32,
    /// What went wrong.
    pub message: String,
    /// What would be right, or what to do next.
    pub hint: Option<String>,
}

/// A check did not hold.
pub const NOT_HELD: i32 = 1;
/// Wrong command line.
pub const USAGE: i32 = 64;
/// Bad input.
pub const INPUT: i32 = 65;
/// Something needed is not there.
pub const UNAVAILABLE: i32 = 69;
/// A defect of ours.
pub const INTERNAL: i32 = 70;
/// An output can't be created.
pub const CREATE: i32 = 73;
/// A file can't be read or written.
pub const IO: i32 = 74;
/// Not now: somebody else is at it.
pub const NOT_NOW: i32 = 75;
/// The machine gives less than is demanded.
pub const CONFIG: i32 = 78;
/// Stopped by Ctrl-C.
pub const STOPPED: i32 = 130;

impl Failure {
    /// A failure without a hint.
    pub fn new(code: i32, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    /// With a hint.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// With one more hint, on a line of its own.
    pub fn hint_more(mut self, hint: &str) -> Self {
        self.hint = Some(self.hint.map_or(hint.to_owned(), |known| format!("{known}\n{hint}")));
        self
    }

    /// Print it and give the exit code.
    pub fn report(&self) -> i32 {
        aar_lab::note!("error: {}", self.message);
        for line in self.hint.iter().flat_map(|hint| hint.lines()) {
            aar_lab::note!("  hint: {line}");
        }
        self.code
    }
}

impl From<StudyError> for Failure {
    fn from(error: StudyError) -> Self {
        let message = error.to_string();
        let (code, hint) = match error {
            StudyError::Plan { .. } => {
                (INPUT, Some("the shipped studies/laptop.toml shows every setting that is needed".into()))
            }
            StudyError::NoProgram { how, .. } => (UNAVAILABLE, Some(how)),
            StudyError::File { ref source, .. } => return io(message, source),
            StudyError::OtherStudy { .. } => {
                (CREATE, Some("choose another --out, or run the study that is there".into()))
            }
            StudyError::Newer { .. } => (CREATE, Some("open it with the version that wrote it, or a newer one".into())),
            StudyError::Locked(_) => (NOT_NOW, Some("wait for it, or choose another --out".into())),
            StudyError::Testbed { .. } => (INPUT, Some("`aar mint chat --out DIR` makes a testbed".into())),
            StudyError::Entropy(_) => (UNAVAILABLE, None),
            StudyError::Server(ServerError::Listen { .. }) => {
                (UNAVAILABLE, Some("choose another --port, or --port 0 for any free one".into()))
            }
            StudyError::Server(ServerError::Newer { .. } | ServerError::OtherStudy(_)) => {
                (CREATE, Some("choose another --out".into()))
            }
            StudyError::Server(ServerError::Vault(_)) => {
                (INPUT, Some("the testbed is damaged; import or mint it again".into()))
            }
            StudyError::Server(ServerError::Full(_)) => {
                (IO, Some("make room; what was answered is safe, and the same command goes on from here".into()))
            }
            StudyError::Server(ServerError::Failing { .. }) => {
                (IO, Some("what was answered is safe; look after the disk, then the same command goes on from here".into()))
            }
            StudyError::Server(ServerError::Store { .. }) => {
                (IO, Some("is the disk full, or the file damaged? what was answered before is safe".into()))
            }
            StudyError::Server(ServerError::Receipt { .. }) => {
                (INPUT, Some("`lab submit --json` and `lab status --json` print receipts".into()))
            }
            StudyError::Server(ServerError::Older { .. }) => (INPUT, None),
            StudyError::Server(_) => (INTERNAL, None),
            StudyError::Researcher(_) | StudyError::Workers(_) => {
                (UNAVAILABLE, Some("`aar doctor` says what this machine gives".into()))
            }
            StudyError::Decoys(_) => {
                (UNAVAILABLE, Some("is there room on the disk, and is fs.inotify.max_user_instances large enough?".into()))
            }
            StudyError::World(error) => return error.into(),
            StudyError::Isolation { .. } => {
                (CONFIG, Some("`aar doctor` says what is missing; --set isolation=any accepts less".into()))
            }
            StudyError::Gateway(_) => {
                (UNAVAILABLE, Some("is the model's provider in the study file right, and its key set? `aar run` without --study needs neither".into()))
            }
            StudyError::Baseline { .. } => (UNAVAILABLE, Some("without plain training nothing can be compared".into())),
            StudyError::Attacked(_) => {
                (UNAVAILABLE, Some("does the study run, and is AAR_TOKEN a researcher's of it? `aar token add` makes one".into()))
            }
            StudyError::Stopped => (STOPPED, Some("the same command goes on from here".into())),
        };
        Self { code, message, hint }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(body) => {
                let code = match body.code {
                    ErrorCode::BadRequest | ErrorCode::NotFound | ErrorCode::TooLarge => INPUT,
                    ErrorCode::Unavailable => UNAVAILABLE,
                    ErrorCode::Internal => INTERNAL,
                    _ => NOT_NOW,
                };
                Self { code, message: body.message, hint: body.hint }
            }
            ClientError::Transport { .. } => {
                Self::new(UNAVAILABLE, error.to_string()).hint("did the study end meanwhile?")
            }
            ClientError::Address(_) | ClientError::Answer { .. } => Self::new(INTERNAL, error.to_string()),
        }
    }
}

impl From<WorldError> for Failure {
    fn from(error: WorldError) -> Self {
        let message = error.to_string();
        match error {
            WorldError::File { ref source, .. } => io(message, source),
            WorldError::Exists(_) => Self::new(CREATE, message),
            WorldError::Exhausted(_) => Self::new(NOT_HELD, message).hint("try again: another secret is another world"),
            WorldError::Entropy(_) | WorldError::Threads(_) | WorldError::Clock(_) => Self::new(UNAVAILABLE, message),
            WorldError::Sealing(_) => Self::new(IO, message),
            WorldError::Engine(_) | WorldError::Method(_) => Self::new(INTERNAL, message),
        }
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        let message = error.to_string();
        let failure = match error {
            ImportError::File { ref source, .. } => return io(message, source),
            ImportError::Exists(_) => Self::new(CREATE, message),
            ImportError::World(error) => return error.into(),
            ImportError::Sealing(_) => Self::new(IO, message),
            _ => Self::new(INPUT, message),
        };
        failure.hint("nothing was written")
    }
}

impl From<GatewayError> for Failure {
    fn from(error: GatewayError) -> Self {
        let message = error.to_string();
        match error {
            GatewayError::File { ref source, .. } => io(message, source),
            GatewayError::Settings { .. } | GatewayError::Prices { .. } | GatewayError::Unknown(_) => {
                Self::new(INPUT, message)
            }
            GatewayError::NoKey { .. } => Self::new(UNAVAILABLE, message)
                .hint("export it; a local server without a key needs none: leave key_env out of its settings"),
            GatewayError::Newer { .. } => {
                Self::new(CREATE, message).hint("open it with the version that wrote it, or a newer one")
            }
            GatewayError::Ledger { .. } | GatewayError::LedgerClosed => {
                Self::new(IO, message).hint("does another gateway use it? is the disk full?")
            }
            GatewayError::Listen { .. } | GatewayError::Certificates(_) => Self::new(UNAVAILABLE, message),
        }
    }
}

impl From<LintError> for Failure {
    fn from(error: LintError) -> Self {
        let message = error.to_string();
        match error {
            LintError::File { ref source, .. } => io(message, source),
            _ => Self::new(INPUT, message),
        }
    }
}

impl From<BenchError> for Failure {
    fn from(error: BenchError) -> Self {
        let message = error.to_string();
        match error {
            BenchError::File { ref source, .. } => io(message, source),
            BenchError::Threads(_) | BenchError::Clock(_) => Self::new(UNAVAILABLE, message),
            BenchError::Seeds(_) => Self::new(USAGE, message),
            _ => Self::new(INPUT, message),
        }
    }
}

fn io(message: String, source: &std::io::Error) -> Failure {
    use std::io::ErrorKind;
    let failure = Failure::new(if source.kind() == ErrorKind::NotFound { INPUT } else { IO }, message);
    match source.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => {
            failure.hint("the disk is full; make room, the same command goes on from here")
        }
        ErrorKind::PermissionDenied => failure.hint("this user may not; choose another place"),
        _ => failure,
    }
}
