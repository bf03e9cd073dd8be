"""What `casebus doctor` looks at: each function one look, each finding with its cure. The table of them: docs/operate.md."""
