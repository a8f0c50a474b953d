//! A ragged batch of token sequences.

/// Token ids laid end to end with the rows' bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rows {
    /// All tokens.
    pub tokens: Vec<u32>,
    /// Bounds: row `i` is `tokens[offsets[i]..offsets[i + 1]]`; one more entry than rows.
    pub offsets: Vec<usize>,
}

impl Default for Rows {
    fn default() -> Self {
        Self::new()
    }
}

impl Rows {
    /// No rows.
    pub fn new() -> Self {
        Self { tokens: Vec::new(), offsets: vec![0] }
    }

    /// Append a row. Empty rows are allowed but have no last token.
    pub fn push(&mut self, row: &[u32]) {
        self.tokens.extend_from_slice(row);
        self.offsets.push(self.tokens.len());
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The tokens of row `i`.
    pub fn row(&self, i: usize) -> &[u32] {
        &self.tokens[self.offsets[i]..self.offsets[i + 1]]
    }

    /// Rows `range` as a batch of their own.
    pub fn slice(&self, range: std::ops::Range<usize>) -> Rows {
        let start = self.offsets[range.start];
        Rows {
            tokens: self.tokens[start..self.offsets[range.end]].to_vec(),
            offsets: self.offsets[range.start..=range.end].iter().map(|offset| offset - start).collect(),
        }
    }

    /// Position of every row's last token in `tokens`.
    pub fn last_positions(&self) -> Vec<usize> {
        self.offsets[1..].iter().map(|end| end.saturating_sub(1)).collect()
    }

    /// The longest row's length.
    pub fn longest(&self) -> usize {
        self.offsets.windows(2).map(|row| row[1] - row[0]).max().unwrap_or(0)
    }

    /// Bounds that split the rows into at most `parts` runs of about equal tokens.
    pub fn split_points(&self, parts: usize) -> Vec<usize> {
        let mut points = vec![0];
        for part in 1..parts {
            let target = self.tokens.len() * part / parts;
            let point = self.offsets.partition_point(|&offset| offset < target).min(self.len());
            if point > *points.last().unwrap_or(&0) && point < self.len() {
                points.push(point);
            }
        }
        points.push(self.len());
        points
    }
}

impl<R: AsRef<[u32]>> FromIterator<R> for Rows {
    fn from_iter<I: IntoIterator<Item = R>>(rows: I) -> Self {
        let mut out = Rows::new();
        for row in rows {
            out.push(row.as_ref());
        }
        out
    }
}

/// `sum += scale * values`, element by element.
pub fn add_scaled(sum: &mut [f32], values: &[f32], scale: f32) {
    aar_kernels::simd::axpy(sum, scale, values);
}
