//! Text to statements, each with the line on which it starts.
use datafusion::common::{DataFusionError, Result};
use datafusion::prelude::SessionContext;
use datafusion::sql::parser::{DFParserBuilder, Statement};
use datafusion::sql::sqlparser::dialect::{Dialect, dialect_from_str};
use datafusion::sql::sqlparser::parser::ParserError;
use datafusion::sql::sqlparser::tokenizer::{
    Location, Token, TokenWithSpan, Tokenizer, TokenizerError,
};

/// One statement of a script, not parsed yet.
#[derive(Debug)]
pub struct Piece {
    /// Line of its first word, from 1.
    pub line: u64,
    text: std::result::Result<Vec<TokenWithSpan>, TokenizerError>,
}

impl Piece {
    /// The parsed statement. Positions in errors count from the start of the script.
    ///
    /// # Errors
    /// When it is not one statement of SQL.
    pub fn parse(self, context: &SessionContext) -> Result<Statement> {
        let state = context.state();
        let limit = state.config_options().sql_parser.recursion_limit.get();
        let tokens = self.text.map_err(ParserError::from)?;
        refuse_prompt_command(&tokens)?;
        let hint = order_hint(&tokens);
        let mut statements = DFParserBuilder::new(tokens)
            .with_dialect(dialect_of(context)?.as_ref())
            .with_recursion_limit(limit)
            .build()?
            .parse_statements()
            .map_err(|error| match hint {
                Some(hint) => DataFusionError::Plan(format!("{}. {hint}", error.strip_backtrace())),
                None => error,
            })?;
        match (statements.pop_front(), statements.is_empty()) {
            (Some(statement), true) => Ok(statement),
            _ => Err(DataFusionError::Plan("expected one statement".to_owned())),
        }
    }
}

/// Refuses `\d` and the like where SQL is read.
fn refuse_prompt_command(tokens: &[TokenWithSpan]) -> Result<()> {
    let [first, rest @ ..] = tokens else {
        return Ok(());
    };
    if first.token != Token::Backslash {
        return Ok(());
    }
    let name = rest.first().map(|token| token.token.to_string());
    let instead = match name.as_deref() {
        Some("d") => "SHOW TABLES, or DESCRIBE a_table",
        Some("h") => "alone, as in modelwatch -c '\\h roc_auc'",
        Some("i") => "-f FILE",
        Some("pset") => "--format FORMAT",
        _ => "start modelwatch alone and type it there",
    };
    Err(DataFusionError::Plan(format!(
        "\\{} is a command of the prompt. Expected SQL. Hint: {instead}",
        name.unwrap_or_default()
    )))
}

/// What to do about `order_by => x DESC`, which no parser reads.
fn order_hint(tokens: &[TokenWithSpan]) -> Option<&'static str> {
    let words: Vec<String> = tokens
        .iter()
        .filter(|token| !matches!(token.token, Token::Whitespace(_)))
        .map(|token| token.token.to_string().to_ascii_lowercase())
        .collect();
    let start = words
        .windows(2)
        .position(|pair| pair == ["order_by", "=>"])?;
    let mut argument = words
        .iter()
        .skip(start + 2)
        .take_while(|word| *word != "=>" && *word != "order");
    argument
        .any(|word| word == "desc" || word == "asc")
        .then_some(
            "Hint: order_by takes expressions, without ASC and DESC, and orders from the least to the greatest. \
             For the reverse write order_by => -id",
        )
}

/// The statements of a text, one by one: a `SET` of the SQL dialect changes how what follows
/// it is read.
#[derive(Debug)]
pub struct Script {
    text: String,
    dialect: String,
    read_to: Location,
    tokens: std::vec::IntoIter<TokenWithSpan>,
    broken: Option<TokenizerError>,
}

impl Script {
    /// Nothing is read before the first statement is asked for.
    pub fn new(text: String) -> Self {
        Self {
            // editors of Windows put it before a text
            text: text
                .strip_prefix('\u{feff}')
                .map(str::to_owned)
                .unwrap_or(text),
            dialect: String::new(),
            read_to: Location { line: 0, column: 0 },
            tokens: vec![].into_iter(),
            broken: None,
        }
    }

    /// The next statement that is not empty; `None` after the last.
    ///
    /// # Errors
    /// When the session has a dialect that the parser does not know.
    pub fn next(&mut self, context: &SessionContext) -> Result<Option<Piece>> {
        let dialect = context
            .state()
            .config_options()
            .sql_parser
            .dialect
            .to_string();
        if dialect != self.dialect {
            self.read_with(dialect_of(context)?.as_ref());
            self.dialect = dialect;
        }
        while let Some(piece) = self.piece() {
            if piece
                .text
                .as_ref()
                .map_or(true, |tokens| !tokens.is_empty())
            {
                return Ok(Some(piece));
            }
        }
        Ok(None)
    }

    fn read_with(&mut self, dialect: &dyn Dialect) {
        let (mut tokens, broken) = tokenize(&self.text, dialect);
        tokens.retain(|token| token.span.start >= self.read_to);
        self.tokens = tokens.into_iter();
        self.broken = broken;
    }

    fn piece(&mut self) -> Option<Piece> {
        let mut tokens = vec![];
        for token in self.tokens.by_ref() {
            self.read_to = token.span.end;
            match token.token {
                Token::SemiColon => return Some(piece_of(tokens)),
                Token::Whitespace(_) if tokens.is_empty() => {}
                _ => tokens.push(token),
            }
        }
        if let Some(error) = self.broken.take() {
            let line = tokens
                .first()
                .map_or(error.location.line, |first| first.span.start.line);
            return Some(Piece {
                line,
                text: Err(error),
            });
        }
        (!tokens.is_empty()).then(|| piece_of(tokens))
    }
}

fn piece_of(tokens: Vec<TokenWithSpan>) -> Piece {
    let line = tokens.first().map_or(0, |first| first.span.start.line);
    Piece {
        line,
        text: Ok(tokens),
    }
}

fn tokenize(text: &str, dialect: &dyn Dialect) -> (Vec<TokenWithSpan>, Option<TokenizerError>) {
    let mut tokens = vec![];
    let broken = Tokenizer::new(dialect, text)
        .tokenize_with_location_into_buf(&mut tokens)
        .err();
    (tokens, broken)
}

fn dialect_of(context: &SessionContext) -> Result<Box<dyn Dialect>> {
    let name = context
        .state()
        .config_options()
        .sql_parser
        .dialect
        .to_string();
    dialect_from_str(&name)
        .ok_or_else(|| DataFusionError::Plan(format!("unknown SQL dialect '{name}'")))
}

/// Whether a prompt should run `text` rather than wait for more lines of it: it ends with a
/// semicolon, or is broken in a way that more lines do not mend.
pub fn is_complete(text: &str, context: &SessionContext) -> bool {
    let Ok(dialect) = dialect_of(context) else {
        return true;
    };
    let (tokens, broken) = tokenize(text, dialect.as_ref());
    if let Some(error) = broken {
        let open = ["Unterminated", "Expected close", "Unexpected EOF"];
        return !open.iter().any(|start| error.message.starts_with(start));
    }
    let last = tokens
        .iter()
        .rev()
        .find(|token| !matches!(token.token, Token::Whitespace(_)));
    last.is_none_or(|token| token.token == Token::SemiColon)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pieces(text: &str) -> Vec<(u64, String)> {
        let context = SessionContext::new();
        let mut script = Script::new(text.to_owned());
        let mut pieces = vec![];
        while let Some(piece) = script.next(&context).unwrap() {
            let line = piece.line;
            let text = match piece.parse(&context) {
                Ok(statement) => statement.to_string(),
                Err(error) => format!("error: {}", error.strip_backtrace()),
            };
            pieces.push((line, text));
        }
        pieces
    }

    #[test]
    fn semicolons_in_strings_names_and_comments_do_not_split() {
        let text = "-- one; two\nSELECT ';' AS \"a;b\" /* ; */;;\n\n  ; SELECT 2\n-- end;\n";
        let expected = [(2, "SELECT ';' AS \"a;b\""), (4, "SELECT 2")];
        assert_eq!(
            pieces(text),
            expected.map(|(line, sql)| (line, sql.to_owned()))
        );
        assert_eq!(pieces(" \n-- nothing\n"), []);
    }

    #[test]
    fn an_error_counts_lines_from_the_start_of_the_script() {
        let pieces = pieces("SELECT 1;\nSELECT\n  1 2 3;\nSELECT 3");
        assert_eq!(pieces.len(), 3);
        assert_eq!((pieces[1].0, pieces[2].0), (2, 4));
        assert!(pieces[1].1.contains("Line: 3"), "{}", pieces[1].1);
    }

    #[test]
    fn what_precedes_an_open_string_is_still_read() {
        let pieces = pieces("SELECT 1;\nSELECT 'open;\nSELECT 3;");
        assert_eq!(pieces[0], (1, "SELECT 1".to_owned()));
        assert_eq!(pieces.len(), 2);
        assert_eq!(pieces[1].0, 2);
        assert!(
            pieces[1].1.contains("Unterminated string literal"),
            "{}",
            pieces[1].1
        );
    }

    #[test]
    fn a_byte_order_mark_is_not_sql() {
        assert_eq!(pieces("\u{feff}SELECT 1;"), [(1, "SELECT 1".to_owned())]);
    }

    #[test]
    fn a_command_of_the_prompt_says_that_it_is_one() {
        for (text, hint) in [
            ("\\d", "SHOW TABLES"),
            ("\\h roc_auc;", "alone, as in"),
            ("\\?", "start modelwatch"),
        ] {
            let pieces = pieces(text);
            assert!(
                pieces[0].1.contains("is a command of the prompt"),
                "{}",
                pieces[0].1
            );
            assert!(pieces[0].1.contains(hint), "{}", pieces[0].1);
        }
    }

    #[test]
    fn an_order_argument_has_no_direction() {
        let refused = pieces("SELECT * FROM f(a, order_by => timestamp desc, chunk => rows(2))");
        assert!(refused[0].1.contains("order_by => -id"), "{}", refused[0].1);
        let other = pieces("SELECT * FROM f(a, order_by => x) 1 ORDER BY y DESC, (");
        assert!(!other[0].1.contains("-id"), "{}", other[0].1);
    }

    #[test]
    fn two_statements_without_a_semicolon_are_an_error() {
        let pieces = pieces("SELECT 1 SELECT 2");
        assert_eq!(pieces.len(), 1);
        assert!(pieces[0].1.starts_with("error: "), "{}", pieces[0].1);
    }

    #[tokio::test]
    async fn a_new_dialect_reads_what_follows() {
        let context = SessionContext::new();
        let text = "SET datafusion.sql_parser.dialect = 'mysql';\nSELECT 'a\\';b';".to_owned();
        let mut script = Script::new(text);
        let first = script
            .next(&context)
            .unwrap()
            .unwrap()
            .parse(&context)
            .unwrap();
        context.sql(&first.to_string()).await.unwrap();
        let second = script.next(&context).unwrap().unwrap();
        assert_eq!(second.line, 2);
        second.parse(&context).unwrap();
        assert!(script.next(&context).unwrap().is_none());
    }

    #[test]
    fn a_prompt_waits_for_the_semicolon() {
        let context = SessionContext::new();
        for open in [
            "SELECT 1",
            "SELECT ';",
            "SELECT \";",
            "SELECT 1 /* ;",
            "SELECT 1 -- ;",
        ] {
            assert!(!is_complete(open, &context), "{open}");
        }
        for whole in ["", "  ", "SELECT 1;", "SELECT 1; -- done", "SELECT ';';"] {
            assert!(is_complete(whole, &context), "{whole}");
        }
    }
}
