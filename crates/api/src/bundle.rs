//! Bundles on the wire.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The most files of a bundle.
pub const MAX_FILES: usize = 256;
/// The most bytes of a bundle, all files together.
pub const MAX_BYTES: usize = 8 << 20;

/// A folder: its files, sorted by path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Bundle {
    /// The files.
    pub files: Vec<BundleFile>,
}

/// One file of a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleFile {
    /// Relative, `/`-separated, of plain components.
    pub path: String,
    /// Whether it may be executed.
    #[serde(default)]
    pub executable: bool,
    /// The contents: hex of the bytes. (Bundles are small; hex needs no further library and is easily checked by hand.)
    pub hex: String,
}

/// What came of storing a bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct BundleStored {
    /// SHA-256 over the sorted contents, hex.
    pub bundle: String,
}
