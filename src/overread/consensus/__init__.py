"""What many people's answers to the same items come to: one method a file, all on numpy."""
