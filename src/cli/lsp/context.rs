//! What could stand where the cursor is, by the words before it: the statement is not
//! finished, so there is no tree to ask.

/// What is expected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// Nothing that we know: a comment, a text, a number.
    Nothing,
    /// The first word of a statement.
    Statement,
    /// A constraint, behind `>>`.
    Constraint,
    /// A value.
    Expression,
    /// The name of a template, behind `:`.
    Template,
    /// Options between `<` and `>`.
    Option,
    /// How it is at the start, behind a template.
    State,
    /// A namespace, behind `import`.
    Namespace,
    /// What is minimised.
    Metric,
}

/// What is before the cursor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Context {
    pub(super) expected: Expected,
    /// Where the word begins that is being written, sign included.
    pub(super) start: usize,
    /// `$` or `@` before it.
    pub(super) sign: Option<char>,
}

/// A word or sign of the statement that is being written.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Token<'t> {
    Word(&'t str),
    Sign(u8),
    Value,
}

/// What is before a byte of a text. Linear in the text before it.
pub(super) fn context(text: &str, byte: usize) -> Context {
    let mut end = byte.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let before = &text[..end];
    let mut start = before
        .rfind(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.'))
        .map_or(0, |at| at + before[at..].chars().next().map_or(0, char::len_utf8));
    let sign = before[..start].chars().next_back().filter(|sign| matches!(sign, '$' | '@'));
    if sign.is_some() {
        start -= 1;
    }
    let nothing = Context { expected: Expected::Nothing, start, sign };
    let Some(tokens) = tokens(before, start) else { return nothing };
    let number = sign.is_none() && before[start..].starts_with(|c: char| c.is_ascii_digit());
    if number {
        return nothing;
    }
    Context { expected: expected(&tokens), start, sign }
}

/// The tokens of the last statement before `end`; none where that is in a comment or text.
fn tokens(before: &str, end: usize) -> Option<Vec<Token<'_>>> {
    let bytes = before.as_bytes();
    let mut tokens: Vec<Token<'_>> = Vec::new();
    let mut sets = 0usize;
    let mut at = 0;
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    while at < end {
        match byte(at) {
            b'/' if byte(at + 1) == b'/' => {
                at += bytes[at..].iter().position(|&byte| byte == b'\n').unwrap_or(bytes.len() - at);
                // At its end the cursor is still in it.
                if at >= bytes.len() {
                    return None;
                }
            }
            b'/' if byte(at + 1) == b'*' => {
                let mut depth = 1usize;
                at += 2;
                while depth > 0 {
                    if at >= bytes.len() {
                        return None;
                    }
                    match (byte(at), byte(at + 1)) {
                        (b'*', b'/') => (depth, at) = (depth - 1, at + 2),
                        (b'/', b'*') => (depth, at) = (depth + 1, at + 2),
                        _ => at += 1,
                    }
                }
            }
            b'"' => {
                at += 1;
                loop {
                    match byte(at) {
                        _ if at >= bytes.len() => return None,
                        b'\\' => at += 2,
                        b'"' => break,
                        // Not closed: the next line is no part of it.
                        b'\n' => break,
                        _ => at += 1,
                    }
                }
                at += 1;
                tokens.push(Token::Value);
            }
            b'$' | b'@' => {
                at += 1;
                at += word(bytes, at);
                tokens.push(Token::Value);
            }
            first if first.is_ascii_alphanumeric() || first == b'_' => {
                let length = word(bytes, at).max(1);
                tokens.push(Token::Word(before.get(at..at + length).unwrap_or_default()));
                at += length;
            }
            b';' => {
                tokens.clear();
                sets = 0;
                at += 1;
            }
            b'{' => {
                if opens_block(&tokens) {
                    tokens.clear();
                    sets = 0;
                } else {
                    sets += 1;
                    tokens.push(Token::Sign(b'{'));
                }
                at += 1;
            }
            b'}' => {
                if sets > 0 {
                    sets -= 1;
                    tokens.push(Token::Sign(b'}'));
                } else {
                    tokens.clear();
                }
                at += 1;
            }
            sign if sign.is_ascii_punctuation() => {
                tokens.push(Token::Sign(sign));
                at += 1;
            }
            _ => at += 1,
        }
    }
    Some(tokens)
}

fn word(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    let inside = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.');
    rest.iter().position(|byte| !inside(byte)).unwrap_or(rest.len())
}

/// Is a brace behind these tokens that of a block, not of a set?
fn opens_block(tokens: &[Token<'_>]) -> bool {
    let head = matches!(tokens.first(), Some(Token::Word("for" | "if" | "else" | "def")));
    let after_value = match tokens.last() {
        Some(Token::Value | Token::Sign(b')' | b']' | b'}')) => true,
        Some(Token::Word(word)) => !matches!(*word, "in" | "if" | "on"),
        _ => false,
    };
    head && after_value
}

fn expected(tokens: &[Token<'_>]) -> Expected {
    match tokens {
        [] => return Expected::Statement,
        [Token::Word("else")] => return Expected::Statement,
        [Token::Sign(b'>'), Token::Sign(b'>')] => return Expected::Constraint,
        [Token::Word("import"), ..] => return Expected::Namespace,
        [Token::Word("minimise" | "minimize"), ..] => return Expected::Metric,
        [Token::Word("namespace" | "resource" | "include"), ..] => return Expected::Nothing,
        [Token::Word("def"), rest @ ..] if !rest.contains(&Token::Sign(b'=')) => return Expected::Nothing,
        _ => {}
    }
    let is_template = matches!(tokens.first(), Some(Token::Word("template")));
    let colon = tokens.iter().position(|token| *token == Token::Sign(b':'));
    let Some(behind) = colon.map(|at| at + 1).or(is_template.then_some(1)) else {
        return Expected::Expression;
    };
    let rest = tokens.get(behind..).unwrap_or_default();
    let last = |sign| rest.iter().rposition(|token| *token == Token::Sign(sign));
    match (rest, last(b'<'), last(b'>')) {
        ([], ..) if is_template => Expected::Nothing,
        ([], ..) => Expected::Template,
        (_, Some(opened), closed) if closed.is_none_or(|closed| closed < opened) => match rest.last() {
            Some(Token::Sign(b'<' | b',')) => Expected::Option,
            _ => Expected::Expression,
        },
        _ if is_template => Expected::Nothing,
        _ => match rest.last() {
            Some(Token::Word("on")) => Expected::Expression,
            _ if rest.contains(&Token::Word("on")) => Expected::Expression,
            _ => Expected::State,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn expects(text: &str) -> Expected {
        context(text, text.len()).expected
    }

    #[test]
    fn what_is_expected() {
        for (text, expected) in [
            ("", Expected::Statement),
            ("spr", Expected::Statement),
            ("spread(VM1);\n  sp", Expected::Statement),
            ("for $x in {1, 2} { spr", Expected::Statement),
            ("if $x { a(b); } else { ", Expected::Statement),
            (">>spr", Expected::Constraint),
            ("spread(", Expected::Expression),
            ("spread({VM1, V", Expected::Expression),
            ("$x = al", Expected::Expression),
            ("for $x in {V", Expected::Expression),
            ("VM1 : ", Expected::Template),
            ("VM1 : sma", Expected::Template),
            ("VM1 : small<", Expected::Option),
            ("VM1 : small<cpu=1, m", Expected::Option),
            ("template small<", Expected::Option),
            ("VM1 : small<cpu=1> ru", Expected::State),
            ("VM1 : small running on @", Expected::Expression),
            ("import a.", Expected::Namespace),
            ("minimise ", Expected::Metric),
            ("// spr", Expected::Nothing),
            ("/* /* */ spr", Expected::Nothing),
            ("$x = \"a spr", Expected::Nothing),
            ("$x = \"a\\\" // \" + a", Expected::Expression),
            ("$x = 12", Expected::Nothing),
        ] {
            assert_eq!(expects(text), expected, "{text}");
        }
    }

    #[test]
    fn words_and_signs() {
        let text = "spread($gr";
        assert_eq!(
            context(text, text.len()),
            Context { expected: Expected::Expression, start: 7, sign: Some('$') }
        );
        for text in ["ä", "\"ä", "@ä", "$x = ∅", "\\", "\"\\"] {
            for byte in 0..text.len() + 3 {
                context(text, byte);
            }
        }
    }
}
