"""Commands of two words, one file per first word: `casebus figures ...`, `casebus user ...`."""
