"""RStudio on SageMaker: versions, what a domain may be, what a change of it would destroy."""
