//! Who stands where. A new room goes here first.
//!
//! ```text
//! level    INSIDE                  BOTH        OUTSIDE
//!   4                                          aar
//!   3      lab  python                         study
//!   2      methods  agent                      server
//!   1      lm                 api scripted     evaluation  researcher  worlds  gateway
//!   0      kernels                 domain llm  sandbox     grader
//! ```
//!
//! `study` stands above `server` because one process runs both in `aar run`: it starts the server it
//! then speaks to. They still meet through `api` alone; what must not happen is the reverse.

use super::Side::{Both, Chores, Inside, Outside};
use super::{Apart, Room};

const fn room(name: &'static str, side: super::Side, level: u8) -> Room {
    Room { name, side, level }
}

/// Side and level of every crate of the workspace.
pub const ROOMS: &[Room] = &[
    room("aar-kernels", Inside, 0),
    room("aar-lm", Inside, 1),
    room("aar-methods", Inside, 2),
    room("aar-agent", Inside, 2),
    room("aar-lab", Inside, 3),
    room("aar-python", Inside, 3),
    room("aar-domain", Both, 0),
    room("aar-llm", Both, 0),
    room("aar-api", Both, 1),
    room("aar-scripted", Both, 1),
    room("aar-sandbox", Outside, 0),
    room("aar-grader", Outside, 0),
    room("aar-evaluation", Outside, 1),
    room("aar-researcher", Outside, 1),
    room("aar-worlds", Outside, 1),
    room("aar-gateway", Outside, 1),
    room("aar-server", Outside, 2),
    room("aar-study", Outside, 3),
    room("aar", Outside, 4),
    room("xtask", Chores, 0),
];

/// What must stay apart although sides and levels would allow it.
pub const APART: &[Apart] = &[
    Apart {
        from: "aar-server",
        to: &["aar-kernels", "aar-lm", "aar-methods", "aar-lab"],
        why: "the server does not link the engine",
    },
    Apart {
        from: "aar-server",
        to: &["aar-evaluation", "aar-researcher", "aar-worlds", "aar-sandbox"],
        why: "server, workers and researchers meet only through api",
    },
    Apart { from: "aar-evaluation", to: &["aar-grader", "aar-worlds"], why: "a worker never holds the truth" },
    Apart {
        from: "aar-evaluation",
        to: &["aar-server", "aar-researcher"],
        why: "server, workers and researchers meet only through api",
    },
    Apart {
        from: "aar-researcher",
        to: &["aar-grader", "aar-worlds"],
        why: "what runs a researcher's code never holds the truth",
    },
    Apart {
        from: "aar-researcher",
        to: &["aar-server", "aar-evaluation"],
        why: "server, workers and researchers meet only through api",
    },
    Apart {
        from: "aar-gateway",
        to: &["aar-grader", "aar-worlds", "aar-server", "aar-evaluation", "aar-researcher", "aar-sandbox"],
        why: "who holds the key holds nothing else",
    },
    Apart { from: "aar-sandbox", to: &["aar-grader"], why: "what runs a stranger's code never holds the truth" },
    Apart { from: "aar-lm", to: &["aar-domain", "aar-api"], why: "the engine knows nothing of PGR or HTTP" },
    Apart { from: "aar-kernels", to: &["aar-domain", "aar-api"], why: "kernels know numbers only" },
    Apart {
        from: "aar-agent",
        to: &["aar-kernels", "aar-lm", "aar-methods"],
        why: "it builds fast, and uses the bench as anybody does: by its command",
    },
    Apart { from: "aar-methods", to: &["aar-api"], why: "a method reads files; the bench does the talking" },
];

/// Rooms that reach no network and no database.
pub const PURE: &[&str] = &["aar-domain", "aar-kernels", "aar-lm", "aar-methods", "aar-grader"];

/// The crates by which one would.
pub const WORLDLY: &[&str] = &[
    "async-std",
    "axum",
    "curl",
    "h2",
    "hyper",
    "libsqlite3-sys",
    "mio",
    "native-tls",
    "openssl",
    "quinn",
    "reqwest",
    "rusqlite",
    "rustls",
    "smol",
    "socket2",
    "sqlx",
    "sqlx-core",
    "tokio",
    "tower-http",
    "tungstenite",
    "ureq",
];

/// `domain` does no input or output at all, so its direct needs are listed rather than forbidden.
pub const ALONE: &[&str] = &["aar-domain"];

/// What it may need.
pub const BY_DOMAIN: &[&str] = &["rand", "rand_chacha", "serde", "statrs", "thiserror"];
