"""What each subcommand of `casebus` does. Imported when it runs."""
