//! Names of VMs and nodes, and sets of them.

use super::Losses;
use crate::format::FormatError;
use crate::model::Instance;
use crate::model::NodeId;
use crate::model::VmId;
use rustc_hash::FxHashMap;
use rustc_hash::FxHashSet;
use std::fmt::Write as _;

/// More pieces than these are written name by name.
const MOST_PIECES: usize = 50;

/// Words that mean something at the start of a statement or of an expression.
const WORDS: [&str; 27] = [
    "namespace",
    "import",
    "export",
    "to",
    "for",
    "in",
    "if",
    "else",
    "include",
    "resource",
    "template",
    "network",
    "switch",
    "link",
    "route",
    "def",
    "minimise",
    "minimize",
    "all",
    "vms",
    "nodes",
    "on",
    "running",
    "sleeping",
    "ready",
    "online",
    "offline",
];

/// A name as what stands before and after its number.
struct Split {
    /// Among the heads.
    head: u32,
    number: Option<u64>,
}

struct Head {
    /// With its sign or quotes.
    text: String,
    tail: String,
}

/// The names of the VMs, or of the nodes.
pub(super) struct Table {
    singles: Vec<String>,
    splits: Vec<Split>,
    heads: Vec<Head>,
}

/// All names of an instance.
pub(super) struct Names {
    pub(super) vms: Table,
    pub(super) nodes: Table,
}

/// Whose element it is.
pub(super) trait Id: Copy + Ord {
    fn table(names: &Names) -> &Table;
    fn at(self) -> usize;
}

impl Id for VmId {
    fn table(names: &Names) -> &Table {
        &names.vms
    }
    fn at(self) -> usize {
        self.index()
    }
}

impl Id for NodeId {
    fn table(names: &Names) -> &Table {
        &names.nodes
    }
    fn at(self) -> usize {
        self.index()
    }
}

/// A text in double quotes.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            other => out.push(other),
        }
    }
    out.push('"');
    out
}

/// Can it be written without quotes where words stand?
pub(super) fn is_path(name: &str) -> bool {
    let word = |word: &str| {
        word.starts_with(|first: char| first.is_ascii_alphabetic())
            && word.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    name.split('.').all(word) && !WORDS.contains(&name)
}

/// The name of a resource or an option.
pub(super) fn title(name: &str) -> String {
    if is_path(name) { name.to_owned() } else { quoted(name) }
}

/// Can it follow `@`, with a bracket behind it or without?
fn is_node_name(name: &str, bracket: bool) -> bool {
    let sign = |byte: u8| matches!(byte, b'_' | b'-' | b'.');
    name.bytes().all(|byte| byte.is_ascii_alphanumeric() || sign(byte))
        && (bracket || name.bytes().last().is_some_and(|last| !sign(last)))
}

/// Can it follow a closing bracket?
fn is_tail(tail: &str) -> bool {
    let bytes = tail.as_bytes();
    bytes.iter().enumerate().all(|(at, &byte)| match byte {
        b'.' | b'-' => bytes.get(at + 1).is_some_and(u8::is_ascii_alphanumeric),
        other => other.is_ascii_alphanumeric() || other == b'_',
    })
}

/// Before, the last number, behind.
fn split(name: &str) -> Option<(&str, u64, &str)> {
    let end = name.rfind(|c: char| c.is_ascii_digit())? + 1;
    let digits = name[..end].bytes().rev().take_while(u8::is_ascii_digit).count();
    let mut start = end - digits;
    // Leading zeros are not part of the number.
    while start + 1 < end && name[start..].starts_with('0') {
        start += 1;
    }
    // What fits into 18 digits fits into an integer of the language.
    if end - start > 18 || !is_tail(&name[end..]) {
        return None;
    }
    Some((&name[..start], name[start..end].parse().ok()?, &name[end..]))
}

impl Table {
    fn new<'n>(names: impl Iterator<Item = &'n str>, nodes: bool) -> Self {
        let mut table = Self { singles: Vec::new(), splits: Vec::new(), heads: Vec::new() };
        let mut heads: FxHashMap<(&'n str, &'n str), u32> = FxHashMap::default();
        for name in names {
            table.singles.push(match nodes {
                true if is_node_name(name, false) => format!("@{name}"),
                true => format!("@{}", quoted(name)),
                false if is_path(name) => name.to_owned(),
                false => format!("vm{}", quoted(name)),
            });
            let Some((head, number, tail)) = split(name) else {
                table.splits.push(Split { head: u32::MAX, number: None });
                continue;
            };
            let next = table.heads.len() as u32;
            let at = *heads.entry((head, tail)).or_insert_with(|| {
                let text = match nodes {
                    true if is_node_name(head, true) => format!("@{head}"),
                    true => format!("@{}", quoted(head)),
                    false if is_path(head) => head.to_owned(),
                    false => format!("vm{}", quoted(head)),
                };
                table.heads.push(Head { text, tail: tail.to_owned() });
                next
            });
            table.splits.push(Split { head: at, number: Some(number) });
        }
        table
    }

    pub(super) fn single(&self, at: usize) -> &str {
        self.singles.get(at).map_or("", String::as_str)
    }

    fn head(&self, at: usize) -> Option<(u32, u64)> {
        let split = self.splits.get(at)?;
        Some((split.head, split.number?))
    }

    /// Pieces of which each is an enumeration, or names one by one.
    fn pieces(&self, ids: impl Iterator<Item = usize>, ordered: bool) -> Vec<Piece> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut known: FxHashMap<u32, usize> = FxHashMap::default();
        for id in ids {
            let Some((head, number)) = self.head(id) else {
                pieces.push(Piece { head: None, members: vec![(0, id)] });
                continue;
            };
            let former = match ordered {
                true => pieces.len().checked_sub(1).filter(|&at| pieces[at].head == Some(head)),
                false => known.get(&head).copied(),
            };
            match former {
                Some(at) => pieces[at].members.push((number, id)),
                None => {
                    known.insert(head, pieces.len());
                    pieces.push(Piece { head: Some(head), members: vec![(number, id)] });
                }
            }
        }
        if !ordered {
            for piece in &mut pieces {
                piece.members.sort_unstable();
            }
        }
        pieces
    }

    fn enumeration(&self, piece: &Piece) -> String {
        let Some(head) = piece.head.and_then(|head| self.heads.get(head as usize)) else {
            return String::new();
        };
        let mut text = format!("{}[", head.text);
        let mut at = 0;
        while let Some(&(from, _)) = piece.members.get(at) {
            let mut to = from;
            let start = at;
            at += 1;
            while piece.members.get(at).is_some_and(|&(number, _)| number == to + 1) {
                to += 1;
                at += 1;
            }
            let comma = if start > 0 { ", " } else { "" };
            // Writing to a string does not fail.
            let _ =
                if from == to { write!(text, "{comma}{from}") } else { write!(text, "{comma}{from}..{to}") };
        }
        text.push(']');
        text.push_str(&head.tail);
        text
    }

    /// Pieces as texts, and whether each stands for one element.
    fn texts(&self, ids: &[usize], ordered: bool) -> Vec<(String, bool)> {
        let pieces = self.pieces(ids.iter().copied(), ordered);
        let text = |piece: &Piece| match piece.members.as_slice() {
            [(_, one)] => (self.single(*one).to_owned(), true),
            _ => (self.enumeration(piece), false),
        };
        pieces.iter().map(text).collect()
    }

    /// As the target of a declaration.
    pub(super) fn target(&self, range: std::ops::Range<usize>) -> String {
        let ids: Vec<usize> = range.collect();
        let mut texts = self.texts(&ids, true);
        match texts.as_mut_slice() {
            [(one, _)] => std::mem::take(one),
            _ => {
                let all: Vec<String> = texts.into_iter().map(|(text, _)| text).collect();
                format!("{{{}}}", all.join(", "))
            }
        }
    }
}

struct Piece {
    head: Option<u32>,
    members: Vec<(u64, usize)>,
}

impl Names {
    pub(super) fn new(instance: &Instance, losses: &mut Losses) -> Result<Self, FormatError> {
        for (elements, what) in [(instance.vms(), "VMs"), (instance.nodes(), "nodes")] {
            if elements.numbers.is_some() {
                losses.add("numbers", || format!("the numbers of the {what}"))?;
            }
            if let Some((alias, at)) = elements.aliases.first() {
                let name = elements.name(*at as usize);
                losses.add("further names", || {
                    format!("further names of {what}, such as `{alias}` of `{name}`")
                })?;
            }
        }
        let known: FxHashSet<&str> = instance.nodes().names().collect();
        let clash = |name: &&str| name.strip_prefix('@').is_some_and(|rest| known.contains(rest));
        if let Some(name) = instance.nodes().names().find(clash) {
            let rest = name.strip_prefix('@').unwrap_or(name);
            return Err(FormatError::whole(format!(
                "rule files cannot tell the nodes `{name}` and `{rest}` apart; rename one of them"
            )));
        }
        Ok(Self {
            vms: Table::new(instance.vms().names(), false),
            nodes: Table::new(instance.nodes().names(), true),
        })
    }

    /// A set, as an expression. In any order where the order means nothing.
    pub(super) fn set<T: Id>(&self, members: &[T], ordered: bool) -> String {
        let table = T::table(self);
        let ids: Vec<usize> = members.iter().map(|id| id.at()).collect();
        let texts = table.texts(&ids, ordered);
        let mut parts: Vec<String> = Vec::new();
        let mut loose: Vec<String> = Vec::new();
        for (text, single) in texts {
            if single {
                loose.push(text);
                continue;
            }
            if ordered && !loose.is_empty() {
                parts.push(format!("{{{}}}", loose.join(", ")));
                loose.clear();
            }
            parts.push(text);
        }
        if !loose.is_empty() || parts.is_empty() {
            parts.push(format!("{{{}}}", loose.join(", ")));
        }
        if parts.len() > MOST_PIECES {
            let all: Vec<&str> = ids.iter().map(|&id| table.single(id)).collect();
            return format!("{{{}}}", all.join(", "));
        }
        parts.join(" + ")
    }
}
