//! A disk's journal, and the disks that a loss of power could have left.

use rand::Rng;
use rand_chacha::ChaCha8Rng;
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// A disk writes so many bytes or none of them.
const SECTOR: usize = 512;

/// What becomes of writes that nobody waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// None of them is there.
    All,
    /// Each is there or not.
    Some,
    /// Each sector of each is there or not.
    Torn,
}

/// One operation; `journal.c` says what the kinds are.
struct Done {
    kind: u8,
    path: String,
    offset: u64,
    data: Vec<u8>,
}

/// Everything that was done to a disk, in its order.
pub struct Journal(Vec<Done>);

/// A file, or what is in it.
type File = Vec<u8>;

/// What a disk has, and what is on its way there.
#[derive(Default)]
struct Disk {
    /// Contents of files that were waited for, by number.
    kept: BTreeMap<usize, File>,
    /// Writes and cuts since then, by number of the file.
    waiting: BTreeMap<usize, Vec<usize>>,
    /// Names as the running system sees them.
    names: BTreeMap<String, usize>,
    /// Names that are on disk: their folder was waited for.
    named: BTreeMap<String, usize>,
}

impl Journal {
    pub fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        let (mut at, mut all) = (0, vec![]);
        let number = |from: usize, length: usize| {
            bytes[from..from + length].iter().rev().fold(0u64, |n, &b| n << 8 | u64::from(b))
        };
        while at + 19 <= bytes.len() {
            let (name, length) = (number(at + 1, 2) as usize, number(at + 11, 8) as usize);
            let text = at + 19 + name;
            // The process was killed while it wrote the last one.
            let Some(data) = bytes.get(text..text + length) else { break };
            let path = String::from_utf8(bytes[at + 19..text].to_vec()).unwrap();
            all.push(Done { kind: bytes[at], path, offset: number(at + 3, 8), data: data.to_vec() });
            at = text + length;
        }
        Self(all)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Where a file is first written to.
    pub fn first(&self, path: &str) -> usize {
        self.0.iter().position(|done| done.kind == b'W' && done.path == path).unwrap()
    }

    /// Bytes written to a file in all.
    pub fn written_back(&self, path: &str) -> usize {
        self.0.iter().filter(|done| done.kind == b'W' && done.path == path).map(|done| done.data.len()).sum()
    }

    /// A file as the running system sees it after `count` operations.
    pub fn text_at(&self, count: usize, path: &str) -> String {
        let mut file = File::new();
        self.0[..count].iter().filter(|done| done.path == path).for_each(|done| done.apply(&mut file, |_| true));
        String::from_utf8(file).unwrap()
    }

    /// Write into `place` what a loss of power after `count` operations leaves.
    pub fn lose(&self, count: usize, loss: Loss, rng: &mut ChaCha8Rng, place: &Path) {
        let disk = self.run(count);
        let names = if loss == Loss::All || rng.random() { &disk.named } else { &disk.names };
        for (name, number) in names {
            let mut file = disk.kept.get(number).cloned().unwrap_or_default();
            for &at in disk.waiting.get(number).into_iter().flatten() {
                let whole = loss != Loss::All && rng.random();
                let torn = loss == Loss::Torn;
                if whole || torn {
                    self.0[at].apply(&mut file, |_| if torn { rng.random() } else { true });
                }
            }
            let path = place.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, file).unwrap();
        }
    }

    fn run(&self, count: usize) -> Disk {
        let mut disk = Disk::default();
        let mut next = 0;
        for (at, done) in self.0[..count].iter().enumerate() {
            match done.kind {
                b'C' => {
                    next += 1;
                    disk.names.insert(done.path.clone(), next);
                }
                b'U' => drop(disk.names.remove(&done.path)),
                b'R' => {
                    let file = disk.names.remove(&done.path).unwrap();
                    disk.names.insert(String::from_utf8(done.data.clone()).unwrap(), file);
                }
                b'D' => disk.named = disk.names.clone(),
                b'W' | b'T' => {
                    // A file that was removed is written to by whoever had it open; nobody will see that.
                    if let Some(file) = disk.names.get(&done.path) {
                        disk.waiting.entry(*file).or_default().push(at);
                    }
                }
                b'S' => {
                    if let Some(file) = disk.names.get(&done.path) {
                        let kept = disk.kept.entry(*file).or_default();
                        let waiting: BTreeSet<usize> = disk.waiting.remove(file).into_iter().flatten().collect();
                        waiting.into_iter().for_each(|at| self.0[at].apply(kept, |_| true));
                    }
                }
                kind => panic!("an operation of kind {kind}"),
            }
        }
        disk
    }
}

impl Done {
    /// Apply a write or a cut; `keeps` says whether a sector of it arrives.
    fn apply(&self, file: &mut File, mut keeps: impl FnMut(usize) -> bool) {
        let offset = self.offset as usize;
        match self.kind {
            b'T' => file.resize(offset, 0),
            b'W' => {
                for (sector, bytes) in self.data.chunks(SECTOR).enumerate() {
                    if keeps(sector) {
                        let start = offset + sector * SECTOR;
                        file.resize(file.len().max(start + bytes.len()), 0);
                        file[start..start + bytes.len()].copy_from_slice(bytes);
                    }
                }
            }
            _ => {}
        }
    }
}
