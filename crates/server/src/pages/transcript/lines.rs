//! Where the lines of a growing file end, so that any of them is read without those before it.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Bytes read at a time. What is searched is read, made small and looked through; a piece that a processor's own cache holds is fetched once for all three.
const PIECE: usize = 256 << 10;

/// Parts of a file that are searched at a time, and the most pieces of each.
const THREADS: usize = 4;
const MOST: usize = 16;

/// A file that is only ever appended to.
pub struct Lines {
    path: PathBuf,
    /// Offsets after each line's newline.
    ends: Mutex<Vec<u64>>,
}

impl Lines {
    /// Nothing is read yet.
    pub fn of(path: PathBuf) -> Self {
        Self { path, ends: Mutex::default() }
    }

    /// Look at what was appended since. Returns how many whole lines there are.
    pub fn grow(&self) -> io::Result<usize> {
        let file = File::open(&self.path)?;
        let mut ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let mut at = ends.last().copied().unwrap_or(0);
        if file.metadata()?.len() < at {
            // It is another file than it was.
            (*ends, at) = (vec![], 0);
        }
        let mut piece = vec![0; PIECE];
        loop {
            let read = file.read_at(&mut piece, at)?;
            if read == 0 {
                return Ok(ends.len());
            }
            ends.extend(memchr::memchr_iter(b'\n', &piece[..read]).map(|newline| at + newline as u64 + 1));
            at += read as u64;
        }
    }

    /// Where lines begin and end; line 0 is the first.
    fn span(&self, lines: &Range<usize>) -> Vec<Range<u64>> {
        let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
        let start = |line: usize| if line == 0 { 0 } else { ends[line - 1] };
        (lines.start..lines.end.min(ends.len())).map(|line| start(line)..ends[line]).collect()
    }

    /// Where lines from `at` on begin and end, as many as so many bytes hold, but at least one.
    fn fitting(&self, at: usize, bytes: usize) -> Vec<Range<u64>> {
        let fitting = {
            let ends = self.ends.lock().unwrap_or_else(PoisonError::into_inner);
            let first = if at == 0 { 0 } else { ends.get(at - 1).copied().unwrap_or(0) };
            let rest = ends.get(at..).unwrap_or_default();
            rest.partition_point(|end| end - first <= bytes as u64).max(1)
        };
        self.span(&(at..at + fitting))
    }

    /// Bytes of all whole lines.
    pub fn bytes(&self) -> u64 {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).last().copied().unwrap_or(0)
    }

    /// These lines, without their ends.
    pub fn read(&self, lines: Range<usize>) -> io::Result<Vec<Vec<u8>>> {
        let spans = self.span(&lines);
        let (Some(first), Some(last)) = (spans.first(), spans.last()) else { return Ok(vec![]) };
        let mut bytes = vec![0; (last.end - first.start) as usize];
        let file = File::open(&self.path)?;
        file.read_exact_at(&mut bytes, first.start)?;
        let line = |span: &Range<u64>| {
            bytes[(span.start - first.start) as usize..(span.end - first.start) as usize - 1].to_vec()
        };
        Ok(spans.iter().map(line).collect())
    }

    /// Lines that hold all of `words` (lower case), letters of ASCII taken as small ones; from `from` on, at most as many as
    /// `wanted` agrees to. `wanted` is asked of every candidate: whether it counts, and whether there are enough.
    pub fn search(
        &self,
        words: &[Vec<u8>],
        from: usize,
        wanted: &mut dyn FnMut(usize) -> io::Result<Search>,
    ) -> io::Result<()> {
        let file = File::open(&self.path)?;
        let (mut at, mut pieces) = (from, 1);
        loop {
            let mut parts: Vec<(usize, Vec<Range<u64>>)> = vec![];
            let mut next = at;
            for _ in 0..THREADS {
                let part = self.fitting(next, pieces * PIECE);
                next += part.len();
                parts.push((next - part.len(), part));
            }
            if next == at {
                return Ok(());
            }
            let file = &file;
            let found: Vec<io::Result<Vec<usize>>> = thread::scope(|scope| {
                let scan = |(first, part)| scope.spawn(move || scan(file, first, part, words));
                let running: Vec<_> = parts.iter().map(|(first, part)| scan((*first, part.as_slice()))).collect();
                let broken = |_| Err(io::Error::other("a part of the search broke off"));
                running.into_iter().map(|part| part.join().unwrap_or_else(broken)).collect()
            });
            for lines in found {
                for line in lines? {
                    if wanted(line)? == Search::Enough {
                        return Ok(());
                    }
                }
            }
            // A word that is everywhere is found in the first pieces; one that is nowhere is looked for in large steps.
            (at, pieces) = (next, (2 * pieces).min(MOST));
        }
    }
}

/// Which of these lines, of which the first is number `number`, hold all of `words`.
fn scan(file: &File, number: usize, lines: &[Range<u64>], words: &[Vec<u8>]) -> io::Result<Vec<usize>> {
    let Some(rarest) = words.iter().max_by_key(|word| word.len()) else { return Ok(vec![]) };
    let finder = memchr::memmem::Finder::new(rarest);
    let (mut found, mut piece, mut at) = (vec![], Vec::new(), 0);
    while let Some(first) = lines.get(at) {
        let rest = &lines[at..];
        let fitting = rest.partition_point(|line| line.end - first.start <= PIECE as u64).max(1);
        let spans = &rest[..fitting];
        piece.resize((spans[fitting - 1].end - first.start) as usize, 0);
        file.read_exact_at(&mut piece, first.start)?;
        piece.make_ascii_lowercase();
        let mut skip = 0;
        while let Some(hit) = finder.find(&piece[skip..]) {
            let place = first.start + (skip + hit) as u64;
            let line = spans.partition_point(|span| span.end <= place);
            let (start, end) = (spans[line].start - first.start, spans[line].end - first.start);
            let text = &piece[start as usize..end as usize];
            if words.iter().all(|word| memchr::memmem::find(text, word).is_some()) {
                found.push(number + at + line);
            }
            skip = end as usize;
        }
        at += fitting;
    }
    Ok(found)
}

/// Whether to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Search {
    /// There may be more.
    On,
    /// That will do.
    Enough,
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn lines_are_found_by_number_and_by_words_while_the_file_grows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ada.jsonl");
        let lines = Lines::of(path.clone());
        assert!(lines.grow().is_err(), "there is no file yet");
        let mut file = File::create(&path).unwrap();
        for n in 0..5000 {
            let text = if n % 1000 == 7 { "Needle in hay".to_owned() } else { "x".repeat(900) };
            writeln!(file, "line {n} {text}").unwrap();
        }
        write!(file, "half a li").unwrap();
        assert_eq!(lines.grow().unwrap(), 5000);
        assert!(lines.bytes() > 4 * PIECE as u64, "more than one piece");
        assert_eq!(lines.read(2007..2008).unwrap(), [b"line 2007 Needle in hay".to_vec()]);
        let found = |words: &[&str], from: usize, most: usize| {
            let mut found = vec![];
            let words: Vec<Vec<u8>> = words.iter().map(|word| word.as_bytes().to_vec()).collect();
            let mut wanted = |line| {
                found.push(line);
                Ok(if found.len() == most { Search::Enough } else { Search::On })
            };
            lines.search(&words, from, &mut wanted).unwrap();
            found
        };
        assert_eq!(found(&["hay", "needle"], 0, 9), [7, 1007, 2007, 3007, 4007]);
        assert_eq!(found(&["needle"], 1008, 2), [2007, 3007]);
        assert_eq!(found(&["needle", "1007"], 0, 9), [1007]);
        assert!(found(&["half"], 0, 9).is_empty(), "a line that is being written is not there yet");
        writeln!(file, "ne with a needle").unwrap();
        assert_eq!(lines.grow().unwrap(), 5001);
        assert_eq!(found(&["needle"], 4008, 9), [5000]);
        std::fs::write(&path, "another\n").unwrap();
        assert_eq!((lines.grow().unwrap(), lines.read(0..9).unwrap()), (1, vec![b"another".to_vec()]));
    }
}
