//! From pieces to lines: groups stay on one line if they fit.
//!
//! After D. Oppen, "Prettyprinting", ACM TOPLAS 2(4), 1980, with the whole list of pieces at
//! hand instead of a window over it. Linear in the number of pieces.

use std::borrow::Cow;

/// Lines have at most this many characters where there is a place to break them.
pub(super) const WIDTH: usize = 100;
/// By how much the inside of something is indented.
pub(super) const STEP: usize = 4;

/// A piece of what is to be laid out.
#[derive(Clone, Debug)]
pub(super) enum Piece<'a> {
    /// What stands in one line.
    Text(Cow<'a, str>),
    /// A place to break the line; a blank where it is not broken, if `blank`. Where it is, the
    /// next one is indented by `step` more than the group.
    Break { blank: bool, step: usize },
    /// Where the line is broken whatever fits.
    Line,
    /// Keeps the groups around it from standing on one line.
    Tall,
    /// The begin of a group, indented by `step` more than what is around it. If it does not
    /// fit, all of its breaks become new lines if `all`, and otherwise those that must.
    Open { step: usize, all: bool },
    /// The end of a group.
    Close,
}

/// Wider than any line.
const ENDLESS: usize = usize::MAX / 4;

/// Writes the pieces, beginning at a column of a line that is indented by `indentation`.
pub(super) fn lay_out(pieces: &[Piece<'_>], indentation: usize, mut column: usize, out: &mut String) {
    let widths = widths(pieces);
    // Indentation, fits, all breaks at once.
    let mut groups = vec![(indentation, false, true)];
    for (piece, &width) in pieces.iter().zip(&widths) {
        let &(indent, fits, all) = groups.last().unwrap_or(&(indentation, false, true));
        let broken = match piece {
            Piece::Text(text) => {
                out.push_str(text);
                column += text.chars().count();
                false
            }
            Piece::Open { step, all } => {
                groups.push((indent + step, fits || column + width <= WIDTH, *all));
                false
            }
            Piece::Close => {
                groups.pop();
                false
            }
            Piece::Tall => false,
            Piece::Line => true,
            Piece::Break { blank, .. } => {
                let broken = !fits && (all || column + usize::from(*blank) + width > WIDTH);
                if *blank && !broken {
                    out.push(' ');
                    column += 1;
                }
                broken
            }
        };
        if broken {
            let step = if let Piece::Break { step, .. } = piece { *step } else { 0 };
            column = indent + step;
            out.push('\n');
            out.extend(std::iter::repeat_n(' ', column));
        }
    }
}

/// For the begin of a group, how wide it is on one line, with what cannot be parted from
/// its end; for a break, how wide that is which stands between it and the next one.
fn widths(pieces: &[Piece<'_>]) -> Vec<usize> {
    /// A place, by what stands behind it: characters, and lines that must be.
    type Place = (usize, usize);
    let between = |from: Place, to: Place| if from.1 > to.1 { ENDLESS } else { from.0 - to.0 };
    let mut widths = vec![0; pieces.len()];
    let mut here: Place = (0, 0);
    // How many characters stand before the next break of any group.
    let mut glued = 0;
    // For each group that is open: its end, what is glued to that, and the next break in it.
    let mut groups: Vec<(Place, usize, Place)> = vec![((0, 0), 0, (0, 0))];
    for (piece, width) in pieces.iter().zip(&mut widths).rev() {
        let next = groups.last().map_or((0, 0), |group| group.2);
        match piece {
            Piece::Text(text) => {
                let length = text.chars().count();
                here.0 += length;
                glued += length;
            }
            Piece::Break { .. } | Piece::Line => {
                *width = between(here, next);
                match piece {
                    Piece::Break { blank, .. } => here.0 += usize::from(*blank),
                    _ => here.1 += 1,
                }
                glued = 0;
                if let Some(group) = groups.last_mut() {
                    group.2 = here;
                }
            }
            Piece::Tall => here.1 += 1,
            // Behind the last break stands what is glued to the end, too.
            Piece::Close => groups.push((here, glued, (here.0 - glued, here.1))),
            Piece::Open { .. } => {
                if let Some((end, trail, _)) = groups.pop() {
                    *width = between(here, end).saturating_add(trail);
                }
            }
        }
    }
    widths
}
