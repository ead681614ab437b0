//! The one way to write a rule file.

mod expression;
mod layout;

use crate::Block;
use crate::Body;
use crate::Comment;
use crate::Diagnostic;
use crate::Severity;
use crate::Span;
use crate::Spanned;
use crate::Statement;
use crate::Tree;
use expression::Writer;
use expression::tidy;
use layout::STEP;
use layout::lay_out;

/// Writes a rule file as rule files are written: one statement a line, blocks indented by
/// four blanks, lines of at most 100 characters where they can be broken. Comments stay,
/// and blank lines between statements, but not more than one. Formatting what was formatted
/// changes nothing.
///
/// # Errors
///
/// What [`parse`](crate::parse) says of the text if there are errors in it.
pub fn format(text: &str) -> Result<String, Vec<Diagnostic>> {
    let (tree, diagnostics) = crate::parse(text);
    if diagnostics.iter().any(|one| one.severity == Severity::Error) {
        return Err(diagnostics);
    }
    let mut printer = Printer { text, tree: &tree, comment: 0, out: String::with_capacity(text.len()) };
    printer.statements(&tree.statements, 0, text.len(), 0, Vec::new());
    let mut out = printer.out;
    // As the first line ends, all do.
    if text.find('\n').is_some_and(|at| text[..at].ends_with('\r')) {
        out = out.replace('\n', "\r\n");
    }
    Ok(out)
}

struct Printer<'a> {
    text: &'a str,
    tree: &'a Tree,
    /// The first comment that was not written.
    comment: usize,
    out: String,
}

impl<'a> Printer<'a> {
    fn slice(&self, span: Span) -> &'a str {
        &self.text[span.start as usize..span.end as usize]
    }

    /// The next comment if it begins before this place.
    fn comment_before(&mut self, place: usize) -> Option<&'a Comment> {
        let comment = self.tree.comments.get(self.comment)?;
        if comment.span.start as usize >= place {
            return None;
        }
        self.comment += 1;
        Some(comment)
    }

    fn lines_between(&self, from: usize, to: usize) -> usize {
        self.text[from..to].bytes().filter(|&byte| byte == b'\n').count()
    }

    fn indent(&mut self, level: usize) {
        self.out.extend(std::iter::repeat_n(' ', level * STEP));
    }

    /// Statements and comments between two places, a line each. `before` comes first.
    fn statements(
        &mut self,
        statements: &'a [Spanned<Statement>],
        from: usize,
        to: usize,
        level: usize,
        before: Vec<Span>,
    ) {
        // Where the last thing ended that was written, and if that was nothing at all.
        let mut end = from;
        let mut first = true;
        for span in before {
            self.indent(level);
            self.remark(span);
            self.out.push('\n');
            first = false;
        }
        for statement in statements {
            let start = statement.span.start as usize;
            self.remarks(&mut end, &mut first, start, level);
            self.space(end, start, &mut first);
            self.statement(statement, level);
            end = statement.span.end as usize;
            self.trailing(&mut end);
            self.out.push('\n');
        }
        self.remarks(&mut end, &mut first, to, level);
    }

    /// A blank line if there is one in the text.
    fn space(&mut self, from: usize, to: usize, first: &mut bool) {
        if !*first && self.lines_between(from, to) > 1 {
            self.out.push('\n');
        }
        *first = false;
    }

    /// Comments that stand in lines of their own.
    fn remarks(&mut self, end: &mut usize, first: &mut bool, to: usize, level: usize) {
        while let Some(comment) = self.comment_before(to) {
            self.space(*end, comment.span.start as usize, first);
            self.indent(level);
            self.remark(comment.span);
            *end = comment.span.end as usize;
            self.trailing(end);
            self.out.push('\n');
        }
    }

    /// Comments in the line of what was written last.
    fn trailing(&mut self, end: &mut usize) {
        while let Some(comment) = self.tree.comments.get(self.comment) {
            let start = comment.span.start as usize;
            // Between the two may be the rest of a statement.
            if start < *end
                || !self.text[*end..start].bytes().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
            {
                return;
            }
            self.out.push(' ');
            self.remark(comment.span);
            *end = comment.span.end as usize;
            self.comment += 1;
        }
    }

    fn remark(&mut self, span: Span) {
        let text = tidy(self.slice(span));
        self.out.push_str(&text);
    }

    /// A block behind its opening brace. `before` are comments that go into it first.
    fn block(&mut self, block: &'a Block, level: usize, before: Vec<Span>) {
        let (start, end) = (block.span.start as usize + 1, block.span.end as usize - 1);
        let mut from = start;
        if before.is_empty() {
            self.trailing(&mut from);
        }
        let mark = self.out.len();
        self.out.push('\n');
        let inner = self.out.len();
        self.statements(&block.statements, from, end, level + 1, before);
        if self.out.len() == inner && from == start {
            self.out.truncate(mark);
        } else {
            self.indent(level);
        }
        self.out.push('}');
    }

    /// A statement in lines of its own, after the comments that have no place in it.
    fn statement(&mut self, statement: &'a Spanned<Statement>, level: usize) {
        let mut writer = Writer::new(self.text, &self.tree.comments, self.comment);
        // The last character of the statement is a semicolon, or a block follows.
        let mut end = statement.span.end - 1;
        let mut closing = ";";
        let mut block = None;
        match &statement.value {
            Statement::For { variable, over, body } => {
                writer.say("for ");
                writer.word(variable);
                writer.say(" in ");
                writer.expression(over);
                block = Some(body);
            }
            Statement::If { condition, then, .. } => {
                writer.say("if ");
                writer.expression(condition);
                block = Some(then);
            }
            Statement::Function { name, parameters, body } => {
                writer.say("def ");
                writer.word(name);
                writer.parameters(name, parameters);
                match body {
                    Body::Block(body) => block = Some(body),
                    Body::Value(value) => {
                        writer.say(" = ");
                        writer.expression(value);
                    }
                }
            }
            other => writer.simple(other),
        }
        if let Some(block) = block {
            end = block.span.start;
            closing = " {";
        }
        let above = self.finish(&mut writer, end, closing);
        for span in above {
            self.indent(level);
            self.remark(span);
            self.out.push('\n');
        }
        self.indent(level);
        lay_out(&writer.pieces, level * STEP, level * STEP, &mut self.out);
        if let Some(block) = block {
            self.block(block, level, Vec::new());
        }
        if let Statement::If { otherwise: Some(otherwise), .. } = &statement.value {
            self.otherwise(otherwise, level);
        }
    }

    /// Ends what a writer wrote. Returns the comments that have no place in it.
    fn finish(&mut self, writer: &mut Writer<'a>, end: u32, closing: &'static str) -> Vec<Span> {
        writer.close(end);
        writer.say(closing);
        self.comment = writer.comment;
        std::mem::take(&mut writer.above)
    }

    /// What stands behind the brace that closes the block of an `if`.
    fn otherwise(&mut self, block: &'a Block, level: usize) {
        let mut block = block;
        loop {
            let start = block.span.start as usize;
            let mut before = Vec::new();
            while let Some(comment) = self.comment_before(start) {
                before.push(comment.span);
            }
            let chained = match block.statements.as_slice() {
                [Spanned { value: Statement::If { condition, then, otherwise }, .. }]
                    if !self.text[start..].starts_with('{') =>
                {
                    Some((condition, then, otherwise))
                }
                _ => None,
            };
            let Some((condition, then, otherwise)) = chained else {
                self.out.push_str(" else {");
                self.block(block, level, before);
                return;
            };
            let mut writer = Writer::new(self.text, &self.tree.comments, self.comment);
            writer.say(" else if ");
            writer.expression(condition);
            before.extend(self.finish(&mut writer, then.span.start, " {"));
            lay_out(&writer.pieces, level * STEP, level * STEP + 1, &mut self.out);
            self.block(then, level, before);
            match otherwise {
                Some(next) => block = next,
                None => return,
            }
        }
    }
}
