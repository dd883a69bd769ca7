"""What every part uses: checks of arguments, atomic files, Keras without its start-up messages, words for people."""
